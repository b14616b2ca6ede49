#pragma once

// What one randomised run does, all of it drawn from one seed.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/stress/history.hpp"

namespace genapp::tests {

struct Step {
  enum class What {
    call,           // start `action`
    signal,         // send `number` to call `target`
    fault_daemon,   // send `number` to the daemon that holds the lock of ID.pid
    fault_starting  // send `number` to the child of call `target`, a daemon before its first probe
  };
  Time at{};
  What what = What::call;
  Action action = Action::restore;
  std::size_t target = 0;  // index of a call, in the order of the steps
  int number = 0;          // a signal
  Time continue_after{};   // for STOP; 0: never
};

struct Plan {
  bool in_service_at_first = true;
  bool probing = true;
  bool already_running_ok = false;
  Time hc_timeout{};
  std::vector<Step> steps;  // by time
};

Plan make_plan(std::uint64_t seed);

}  // namespace genapp::tests
