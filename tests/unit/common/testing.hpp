#pragma once

// What the unit tests share: error texts, environment variables, children that are forked.

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "common/directory.hpp"
#include "common/error.hpp"

namespace genapp::tests {

// What `work` complains about; empty when it does not.
template <typename Work>
std::string error_of(Work work) {
  try {
    work();
  } catch (const common::Error& problem) {
    return problem.what();
  }
  return "";
}

// An environment variable for the object's life.
class ScopedEnv {
 public:
  ScopedEnv(const char* name, const std::string& value) : ScopedEnv(name) {
    ::setenv(name_, value.c_str(), 1);
  }
  // Unset.
  explicit ScopedEnv(const char* name) : name_(name) {
    if (const char* before = ::getenv(name)) before_ = before;
    ::unsetenv(name);
  }
  ~ScopedEnv() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  ScopedEnv(const ScopedEnv&) = delete;
  ScopedEnv& operator=(const ScopedEnv&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

inline common::Directory open_dir(const std::string& path) {
  return common::Directory::open(path, "test directory", common::Directory::Symlink::follow);
}

// A forked copy of the test that runs `work` and exits with what it returns, or with 99 when it
// throws. Killed with the object, and with the test.
class Child {
 public:
  explicit Child(const std::function<int()>& work) : pid_(::fork()) {
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int code = 99;
    try {
      code = work();
    } catch (const std::exception& problem) {
      ::fprintf(stderr, "child: %s\n", problem.what());
    }
    ::fflush(nullptr);
    ::_exit(code);
  }
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  bool running() {
    if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = 0;
    return pid_ > 0;
  }
  // The exit code; -1 when a signal ended it.
  int wait() {
    if (pid_ > 0) ::waitpid(pid_, &status_, 0);
    pid_ = 0;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  }

 private:
  pid_t pid_;
  int status_ = 0;
};

}  // namespace genapp::tests
