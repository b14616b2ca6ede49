#pragma once

// What is asked on the control socket (lbhc/control.hpp). Pure.

#include <optional>
#include <string_view>

#include "common/clock.hpp"

namespace genapp::lbhc {

inline constexpr auto kMostDrain = std::chrono::seconds(3600);
// For `genapp drill`. The most is short, so that a drill that dies leaves no daemon without its
// probes for longer than that; the drill asks again and again.
inline constexpr auto kMostIgnore = std::chrono::seconds(10);

struct ControlRequest {
  enum class Kind { status, drain, ignore } kind = Kind::status;
  common::Clock::duration length{};  // of drain and ignore: 0 to kMostDrain or kMostIgnore
};

// `line` without its line feed. Nothing when it is no request.
std::optional<ControlRequest> parse_control_request(std::string_view line);

}  // namespace genapp::lbhc
