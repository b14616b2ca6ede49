#pragma once

// Programs run by tests, on Boost.Process. Their output goes to memory files, so nothing blocks on
// a full pipe and a grandchild that keeps its standard output open hangs nobody.

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "common/fd.hpp"

namespace genapp::tests {

struct Command {
  std::vector<std::string> argv;             // argv[0] is looked up in PATH
  std::map<std::string, std::string> env{};  // on top of the test's own environment
  std::vector<std::string> unset{};          // taken out of it
  std::string input{};                       // standard input
  std::chrono::milliseconds limit = std::chrono::seconds(60);
};

struct Result {
  int exit_code = -1;  // -1: ended by a signal, or by the limit
  int signal = 0;
  bool over_limit = false;
  std::string out;
  std::string err;
};

// A running program in a process group of its own. Ended with KILL, group and all, with the object;
// also when the test itself is killed.
class Process {
 public:
  explicit Process(const Command& command);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  // Waits; KILL at the limit.
  Result wait();
  // TERM, then wait().
  Result stop();
  // What it has written so far; of standard output, from a byte on.
  std::string out(std::size_t from = 0) const;
  std::string err() const;

 private:
  bool reap(bool block);

  pid_t pid_ = 0;
  bool ended_ = false;
  int status_ = 0;
  std::chrono::milliseconds limit_;
  common::Fd out_;
  common::Fd err_;
};

Result run(const Command& command);

// Lets this process, and what it starts, open so many descriptors; false when the hard limit is
// lower.
bool raise_descriptor_limit(unsigned long least);

// Whether a program is installed.
bool installed(const std::string& program);

}  // namespace genapp::tests
