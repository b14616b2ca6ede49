#pragma once

// Runs one script to its end.

#include <functional>

#include "common/fd.hpp"
#include "common/spawn.hpp"
#include "script/action.hpp"
#include "script/output.hpp"
#include "script/result.hpp"

namespace genapp::script {

struct Job {
  common::Spawn program;  // out and err are ours to fill
  common::Clock::duration timeout{};
  common::Clock::duration kill_after{};  // zero: KILL at once
  Leftovers leftovers = Leftovers::keep;

  // For a supervisor. Called once it runs; what it throws ends the script, and is thrown on.
  std::function<void(pid_t)> started{};
  // Told of as readable; true ends the script as a signal does. -1: none.
  int watched = -1;
  std::function<bool()> on_watched{};
  // HUP calls this instead of ending the script.
  std::function<void()> on_hup{};
};

// Blocks TERM, INT and HUP from now on and returns what reads them (signalfd(2)). Throws
// common::Error.
common::Fd take_end_signals();

// Blocks until the script has ended, `timeout` and `kill_after` and a few seconds at most, and with
// Leftovers::await until all that it has started has. SIGTERM, SIGINT and SIGHUP end the script as
// the timeout does; they are blocked from then on. A process that is kept and still holds the
// script's output does not hold us up: a small process of its own reads and drops what it prints,
// so that it gets no SIGPIPE, and ends with it. Throws common::Error for what is not the script's
// doing, and when its processes can't be ended.
Result run(const Job& job, Output& output);

}  // namespace genapp::script
