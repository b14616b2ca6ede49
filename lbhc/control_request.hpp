#pragma once

// What is asked on the control socket (lbhc/control.hpp). Pure.

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/clock.hpp"

namespace genapp::lbhc {

inline constexpr auto kMostDrain = std::chrono::seconds(3600);
// For `genapp drill`. The most is short, so that a drill that dies leaves no daemon without its
// probes for longer than that; the drill asks again and again.
inline constexpr auto kMostIgnore = std::chrono::seconds(10);
inline constexpr auto kMostLease = std::chrono::seconds(86400);

struct ControlRequest {
  enum class Kind { status, drain, ignore, check, own_probe } kind = Kind::status;
  // Of drain, ignore and check: 0 to kMostDrain, kMostIgnore or kMostLease.
  common::Clock::duration length{};
  std::uint16_t port = 0;  // of own_probe: 1 to 65535
};

// `line` without its line feed. Nothing when it is no request.
std::optional<ControlRequest> parse_control_request(std::string_view line);

}  // namespace genapp::lbhc
