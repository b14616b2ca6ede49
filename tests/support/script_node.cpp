#include "tests/support/script_node.hpp"

#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "common/process.hpp"

namespace genapp::tests {
namespace {

// In the environment of everything that the scripts start; by TMPDIR test.sh finds it too.
constexpr char kMark[] = "TEST_SCRIPTS";

}  // namespace

ScriptNode::ScriptNode(const std::string& keys) {
  std::filesystem::create_directory(path("scripts"));
  // Also for scripts that run as another user.
  std::filesystem::permissions(folder_.path(), std::filesystem::perms::all);
  script("restore", "exit 0");
  script("remove", "exit 0");
  node_.env[kMark] = folder_.path();
  node_.settings("[script]\npass_environment = [\"TMPDIR\", \"" + std::string(kMark) + "\"]\n");
  node_.resource_file("web",
                      "type = \"script\"\nid = \"web1\"\ninfo = \"8080 some info\"\n"
                      "[script]\nfolder = \"" +
                          path("scripts") + "\"\n" + keys + "\n");
}

ScriptNode::~ScriptNode() {
  for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
}

void ScriptNode::script(const std::string& action, const std::string& body) const {
  write_file(script_path(action), "#!/bin/sh\nhere='" + folder_.path() + "'\n" + body + "\n");
  std::filesystem::permissions(script_path(action), std::filesystem::perms(0755));
}

std::string ScriptNode::state() const {
  const std::string text = read_file(node_.run_file("web1.state"));
  return text.substr(0, text.find('\n'));
}

std::vector<pid_t> ScriptNode::processes() const {
  const std::string mark = '\0' + std::string(kMark) + "=" + folder_.path() + '\0';
  std::vector<pid_t> found;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string environment = '\0' + read_file("/proc/" + name + "/environ");
    // The executables have it too, but with the run directory, which scripts are not given.
    if (environment.find(mark) != std::string::npos &&
        environment.find("GENAPP_RUN=") != std::string::npos) {
      found.push_back(std::stoi(name));
    }
  }
  return found;
}

}  // namespace genapp::tests
