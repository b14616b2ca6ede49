#pragma once

// INT, TERM and HUP while a drill runs: taken at moments of the drill's own choosing, so that none
// can cut off the putting back. TSTP (Ctrl-Z) is held back too: a stopped drill would leave its
// fault in place.

#include <optional>

#include "common/clock.hpp"
#include "common/fd.hpp"

namespace genapp::ctl::drill {

class Interruption {
 public:
  // Blocks the signals for the rest of the process's life, and in what it forks. HUP stays ignored
  // when the caller had it so (nohup). Throws common::Error.
  Interruption();

  // The first signal that came, if any; once there is one it stays.
  std::optional<int> signal();

  // Waits until `fd` (none: -1) is readable or has ended, a signal comes that had not come before,
  // or `timeout`. True when `fd` is ready. Throws common::Error.
  bool wait(int fd, common::Clock::duration timeout);

 private:
  common::Fd signals_;
  std::optional<int> signal_;
};

// Unblocks them again: for a child before exec. Async-signal-safe.
void unblock_interruptions();

// "INT", "TERM", "HUP".
const char* signal_name(int signal);

}  // namespace genapp::ctl::drill
