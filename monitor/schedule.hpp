#pragma once

// When checks start: on the grid first + k x interval, however long each of them takes, so that a
// failure is seen after a time that can be told beforehand. Pure.

#include <cstddef>

#include "common/clock.hpp"

namespace genapp::monitor {

class Schedule {
 public:
  using Clock = common::Clock;

  // `interval` is more than zero.
  Schedule(Clock::duration interval, Clock::time_point first) : interval_(interval), due_(first) {}

  Clock::time_point due() const { return due_; }
  // The check that is due starts now. Those that `now` has passed as well are left out, not made
  // good in a row; returns how many.
  std::size_t start(Clock::time_point now);
  // A new grid.
  void restart(Clock::time_point first) { due_ = first; }

 private:
  Clock::duration interval_;
  Clock::time_point due_;
};

}  // namespace genapp::monitor
