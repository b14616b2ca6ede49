#pragma once

// How long the server's answers took: the least ever, and the last 256 for the percentiles. Pure.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/clock.hpp"

namespace genapp::monitor {

class ResponseTimes {
 public:
  using Duration = std::chrono::microseconds;
  struct Summary {
    Duration least{};  // of all
    Duration p50{};    // of the last 256, nearest rank
    Duration p99{};
    Duration last{};
    Duration sum{};  // of all
    std::uint64_t count = 0;
  };

  void put(common::Clock::duration took);
  // Nothing before the first.
  std::optional<Summary> summary() const;

 private:
  static constexpr std::size_t kKept = 256;
  std::array<std::uint32_t, kKept> kept_{};  // microseconds, a ring
  Summary total_{};
};

}  // namespace genapp::monitor
