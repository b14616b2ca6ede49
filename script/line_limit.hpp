#pragma once

// How much of what a long-running command prints is logged. Pure.

#include <cstddef>
#include <cstdint>

#include "common/clock.hpp"

namespace genapp::script {

class LineLimit {
 public:
  // At most `bytes` of lines in each `period`, the first of which begins with the first line.
  LineLimit(std::size_t bytes, common::Clock::duration period) : bytes_(bytes), period_(period) {}

  struct Verdict {
    bool log = true;
    std::uint64_t dropped_before = 0;  // lines, of the period that has just ended
  };
  Verdict take(std::size_t bytes, common::Clock::time_point now);

 private:
  const std::size_t bytes_;
  const common::Clock::duration period_;
  common::Clock::time_point end_{};
  std::size_t taken_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace genapp::script
