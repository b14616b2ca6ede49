#pragma once

// When is "no probe came for HC_TIMEOUT"? The decision alone: no timers, no files, the time is
// handed in.

#include <cstdint>
#include <optional>

#include "common/clock.hpp"

namespace genapp::lbhc {

class NoProbeClock {
 public:
  using Time = common::Clock::time_point;

  // What a probe or the passing of time changed.
  enum class Change { none, raised, cleared };

  // Runs from `start`.
  NoProbeClock(common::Clock::duration timeout, Time start) : timeout_(timeout), since_(start) {}

  // A probe arrived: the clock starts anew; `cleared` when the flag was up.
  Change probe(Time now);

  // Time has passed: `raised` when the deadline is reached and the flag was down.
  Change tick(Time now);

  // A drain has begun: probes are turned away on purpose, so their absence means nothing.
  void stop() { stopped_ = true; }

  bool flag_up() const { return flag_up_; }
  std::uint64_t probes() const { return probes_; }
  std::optional<Time> last_probe() const { return last_probe_; }
  // When tick() has to be called next, unless a probe comes first.
  Time deadline() const { return since_ + timeout_; }

 private:
  common::Clock::duration timeout_;
  Time since_;
  std::optional<Time> last_probe_;
  std::uint64_t probes_ = 0;
  bool flag_up_ = false;
  bool stopped_ = false;
};

}  // namespace genapp::lbhc
