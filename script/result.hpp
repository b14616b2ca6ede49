#pragma once

// How a script ended. Pure.

#include <string>

#include "common/clock.hpp"

namespace genapp::script {

enum class How {
  exited,
  signalled,
  timed_out,    // and was ended
  interrupted,  // the runner was told to end (by a remove, or a person), and ended it
  could_not_start,
};

struct Result {
  How how = How::exited;
  int number = 0;     // the exit code; the signal, the script's or the runner's
  std::string why{};  // could_not_start: the reason

  bool succeeded() const { return how == How::exited && number == 0; }
};

// "exited with 3", "was killed by signal 9 (KILL)", … `timeout` is told when it was exceeded.
std::string result_text(const Result& result, common::Clock::duration timeout);

// "9 (KILL)"
std::string signal_text(int signal);

}  // namespace genapp::script
