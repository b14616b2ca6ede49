#pragma once

#include <sys/types.h>

#include <string>

#include "common/fd.hpp"
#include "tests/support/process.hpp"

namespace genapp::tests {

// A program on a terminal of its own; argv[0] is a path. Killed with the object, and with the test.
class OnTerminal {
 public:
  explicit OnTerminal(const Command& command);
  ~OnTerminal();
  OnTerminal(const OnTerminal&) = delete;
  OnTerminal& operator=(const OnTerminal&) = delete;

  // All that was shown so far.
  const std::string& shown();
  bool type(const std::string& keys);
  // The wait status; nothing within 60 s: -1.
  int end();

 private:
  pid_t pid_ = 0;
  common::Fd terminal_;
  std::string shown_;
};

}  // namespace genapp::tests
