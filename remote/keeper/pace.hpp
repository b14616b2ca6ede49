#pragma once

// Whether a command's output is read on when no more of it can be kept: as long as a manager takes
// it, if slowly, the command waits (back-pressure); one that takes nothing for `stall`, or is not
// there, holds up no command: then the oldest is dropped. Pure; the time is given.

#include <optional>

#include "common/clock.hpp"

namespace genapp::remote::keeper {

enum class Flow {
  read,  // there is room
  wait,  // read nothing: the command waits when its pipe is full
  drop,  // read, and drop the oldest
};

class Pace {
 public:
  using Clock = common::Clock;

  explicit Pace(Clock::duration stall) : stall_(stall) {}

  // A manager is there from now on, or is not.
  void attach(Clock::time_point now) { sign_ = now; }
  void hold() { sign_.reset(); }
  bool attached() const { return sign_.has_value(); }

  // It has taken something.
  void taken(Clock::time_point now) {
    if (attached()) sign_ = now;
  }
  // Output has come while it had taken all there was: from now on it is to show that it takes it.
  void begun(Clock::time_point now) { taken(now); }

  Flow flow(bool full, Clock::time_point now) const {
    if (!full) return Flow::read;
    return attached() && now < *sign_ + stall_ ? Flow::wait : Flow::drop;
  }
  // When `wait` becomes `drop`, if nothing happens. Nothing while nobody is attached.
  std::optional<Clock::time_point> patience_ends() const {
    if (!attached()) return std::nullopt;
    return *sign_ + stall_;
  }

 private:
  Clock::duration stall_;
  std::optional<Clock::time_point> sign_{};  // the last one of it
};

}  // namespace genapp::remote::keeper
