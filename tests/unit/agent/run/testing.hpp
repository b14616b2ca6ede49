#pragma once

// What the tests of the agent's hands share: an event loop, a folder, scripts.

#include <signal.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "agent/config.hpp"
#include "agent/run/launcher.hpp"
#include "agent/run/surroundings.hpp"
#include "common/directory.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::agent {

constexpr auto kLongTest = std::chrono::seconds(30);  // ends a failing test, nothing else

// Runs the loop until `condition` holds; false when it does not.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& condition) {
  const auto until = common::Clock::now() + kLongTest;
  while (!condition()) {
    if (common::Clock::now() > until) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

inline void run_for(boost::asio::io_context& io, common::Clock::duration length) {
  const auto until = common::Clock::now() + length;
  while (common::Clock::now() < until) {
    io.restart();
    io.run_one_for(std::chrono::milliseconds(5));
  }
}

// A folder with scripts in place of the four executables.
class Bench {
 public:
  Bench() { around.programs = folder.path(); }
  // What a test has dropped is reaped by the loop: the next test may look for children.
  ~Bench() {
    EXPECT_TRUE(run_until(io, [] {
      siginfo_t info{};
      return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0;
    })) << "a child is left";
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  // Returns its path.
  std::string script(const std::string& name, const std::string& text) const {
    const std::string path = folder / name;
    tests::write_file(path, "#!/bin/sh\nD=" + folder.path() + "\n" + text + "\n");
    ::chmod(path.c_str(), 0755);
    return path;
  }
  std::string read(const std::string& name) const { return tests::read_file(folder / name); }
  bool has(const std::string& name) const { return !read(name).empty(); }
  pid_t pid_in(const std::string& name) const {
    return has(name) ? static_cast<pid_t>(std::stol(read(name))) : 0;
  }

  tests::TempDir folder{};
  boost::asio::io_context io{1};
  Launcher launcher{io};
  Surroundings around{"", {"PATH=/usr/bin:/bin"}};
};

inline ResourceConfig resource_of(const std::string& tag) {
  return {common::Tag(tag), common::Id(tag + "-id"), "script"};
}

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

}  // namespace genapp::agent
