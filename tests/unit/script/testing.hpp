#pragma once

// What the tests of scripts share: processes that are known by their environment, as the runner
// knows those of a run.

#include <dirent.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "common/family.hpp"
#include "common/spawn.hpp"
#include "script/environment.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {

// "NAME=VALUE" for a program of the test's: the mark, and what test.sh knows its leftovers by.
inline std::vector<std::string> marked_environment(const std::string& mark) {
  std::vector<std::string> environment{"PATH=/usr/local/bin:/usr/bin:/bin",
                                       std::string(common::kRunVariable) + "=" + mark};
  if (const char* folder = ::getenv("TMPDIR")) {
    environment.push_back(std::string("TMPDIR=") + folder);
  }
  return environment;
}

// The pids of the processes, ours excepted, whose environment has GENAPP_RUN=`mark`.
inline std::vector<pid_t> marked_processes(const std::string& mark) {
  const std::string entry = std::string(common::kRunVariable) + "=" + mark;
  std::vector<pid_t> found;
  for (const auto& folder : std::filesystem::directory_iterator("/proc")) {
    const std::string name = folder.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string text = '\0' + read_file(folder.path() / "environ") + '\0';
    const bool carries = text.find('\0' + entry + '\0') != std::string::npos;
    if (carries && std::stoi(name) != ::getpid()) found.push_back(std::stoi(name));
  }
  return found;
}

// The state's letter in /proc/PID/stat; '-' when there is no such process.
inline char process_state(pid_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto close = text.rfind(") ");
  return close == std::string::npos ? '-' : text.at(close + 2);
}

// A run's name that no other test has, and the end of what carries it.
class Mark {
 public:
  ~Mark() { common::end_carriers(name_, std::chrono::seconds(20)); }
  const std::string& name() const { return name_; }
  std::vector<pid_t> processes() const { return marked_processes(name_); }

 private:
  TempDir folder_;
  std::string name_ = folder_.path();
};

// A child of ours that runs until it is ended.
inline common::Child spawn_sleeper(const std::string& mark, bool ends_with_parent = true) {
  common::Spawn sleeper;
  sleeper.argv = {"/bin/sleep", "1000"};
  sleeper.environment = marked_environment(mark);
  sleeper.ends_with_parent = ends_with_parent;
  return common::spawn(sleeper);
}

}  // namespace genapp::tests
