#include "tests/stress/meter.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>

#include "tests/support/temp_dir.hpp"

namespace genapp::tests {
namespace {

// The number after "KEY:" in a text of such lines.
std::int64_t field(const std::string& text, const std::string& key) {
  const auto at = text.find("\n" + key + ":");
  return at == std::string::npos ? 0 : std::stoll(text.substr(at + key.size() + 2));
}

}  // namespace

Use use_of(pid_t pid) {
  const std::string proc = "/proc/" + std::to_string(pid);
  Use use;
  use.anon_kib = field(read_file(proc + "/status"), "RssAnon");
  use.pss_kib = field(read_file(proc + "/smaps_rollup"), "Pss");
  use.descriptors = std::distance(std::filesystem::directory_iterator(proc + "/fd"), {});
  return use;
}

Use most(const Use& a, const Use& b) {
  return {std::max(a.anon_kib, b.anon_kib), std::max(a.pss_kib, b.pss_kib),
          std::max(a.descriptors, b.descriptors)};
}

}  // namespace genapp::tests
