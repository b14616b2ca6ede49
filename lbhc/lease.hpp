#pragma once

// How long a daemon may answer without hearing from who watches it. The decision alone: no timers,
// the time is handed in.
//
// When the cluster manager on this node dies or freezes, another node may take over; then this one
// must not go on answering. So it answers only while a quickCheck or a monitor renews the lease.
// Once it has run out it stays so: a manager that thaws knows nothing yet of what the others did,
// and its first monitor must not bring the port back. That is for a start to do.

#include <optional>

#include "common/clock.hpp"

namespace genapp::lbhc {

class Lease {
 public:
  using Time = common::BootClock::time_point;

  // From `now` on for `length`; 0: without an end. False, without effect, when it has run out.
  bool renew(Time now, common::Clock::duration length);

  bool has_run_out(Time now) const { return end_ && now >= *end_; }
  // Nothing: without an end.
  std::optional<Time> end() const { return end_; }

 private:
  std::optional<Time> end_;
};

}  // namespace genapp::lbhc
