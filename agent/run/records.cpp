#include "agent/run/records.hpp"

#include "common/error.hpp"
#include "common/identifier.hpp"
#include "common/paths.hpp"

namespace genapp::agent {
namespace {

namespace paths = common::paths;
using common::Directory;

// More than the monitors of a resource file of 1 MiB need.
constexpr std::size_t kMostRecordBytes = 4 * 1024 * 1024;
constexpr unsigned kRecordsMode = 0700;

}  // namespace

Records::Records(const Directory& run_dir)
    : folder_(run_dir.subdirectory(paths::kAgent, kRecordsMode)
                  .subdirectory(paths::kAgentResources, kRecordsMode)) {}

void Records::write(const std::string& tag, const Record& record) const {
  folder_.write(tag, format_record(record), Directory::Durability::visible);
}

void Records::remove(const std::string& tag) const { folder_.unlink(tag); }

std::map<std::string, Record> Records::read_all() const {
  std::map<std::string, Record> all;
  for (const std::string& name : folder_.names()) {
    if (!common::is_identifier(name)) continue;
    try {
      const auto text = folder_.read(name, kMostRecordBytes);
      const auto record = text ? parse_record(*text) : std::nullopt;
      if (record) all.emplace(name, *record);
    } catch (const common::Error&) {
      // Too long, or no regular file: none of ours.
    }
  }
  return all;
}

}  // namespace genapp::agent
