#include "script/app_file.hpp"

#include "common/paths.hpp"
#include "common/printable.hpp"

namespace genapp::script {
namespace {

namespace paths = common::paths;

constexpr std::size_t kMostText = 4096;
// An escape takes four bytes.
constexpr std::size_t kMostBytes = 5 * kMostText;

}  // namespace

std::string format_app_record(const AppRecord& record) {
  return common::format_pid_record(record.process) +
         (record.ended.empty() ? "" : common::printable_utf8(record.ended, kMostText) + "\n");
}

std::optional<AppRecord> parse_app_record(std::string_view text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto process = common::parse_pid_record(text.substr(0, end + 1));
  text.remove_prefix(end + 1);
  // The rest: nothing, or one line.
  if (!process || (!text.empty() && text.find('\n') != text.size() - 1)) return std::nullopt;
  if (!text.empty()) text.remove_suffix(1);
  return AppRecord{*process, std::string(text)};
}

void write_app_record(const common::Directory& run_dir, const common::Id& id,
                      const AppRecord& record) {
  run_dir.write(paths::app_name(id), format_app_record(record),
                common::Directory::Durability::visible, common::Directory::Existing::replace, 0600);
}

std::optional<AppRecord> read_app_record(const common::Directory& run_dir, const common::Id& id) {
  const auto text = run_dir.read(paths::app_name(id), kMostBytes);
  return text ? parse_app_record(*text) : std::nullopt;
}

}  // namespace genapp::script
