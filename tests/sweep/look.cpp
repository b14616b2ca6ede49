#include "tests/sweep/look.hpp"

#include <charconv>
#include <stdexcept>

#include "common/error.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {

std::vector<pid_t> processes_of(LbhcNode& node) {
  const std::string wanted =
      std::string(1, '\0') + "GENAPP_RUN_DIR=" + node.node().run_dir() + '\0';
  std::vector<pid_t> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || *end != '\0') continue;
    const std::string environment = '\0' + read_file(entry.path().string() + "/environ");
    if (environment.find(wanted) != std::string::npos) pids.push_back(pid);
  }
  return pids;
}

bool serves(LbhcNode& node) {
  try {
    return probe(node.port()).bytes == "OK";
  } catch (const std::runtime_error&) {
    return false;
  }
}

pid_t daemon_of(LbhcNode& node) {
  try {
    return node.node().daemon("app1");
  } catch (const common::Error&) {
    return 0;
  }
}

bool probe_until(LbhcNode& node, const std::function<bool()>& done,
                 std::chrono::milliseconds limit) {
  return wait_until(
      [&] {
        if (done()) return true;
        return accepts(node.port()) && wait_until(done, std::chrono::milliseconds(100));
      },
      limit);
}

}  // namespace genapp::tests
