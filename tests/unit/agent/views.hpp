#pragma once

// Made-up views, for the tests of what is shown.

#include "agent/status_json.hpp"

namespace genapp::agent {

inline const common::Clock::time_point kSteady{std::chrono::hours(5)};
inline const ClockPair kNow{kSteady,
                            common::WallClock::time_point(std::chrono::seconds(1'700'000'000))};
inline const AgentInfo kAgent{42, kSteady - std::chrono::seconds(90)};

inline ResourceView resource_named(const std::string& tag) {
  ResourceView one{.tag = tag, .id = "id-" + tag, .type = "script"};
  one.state = State::offline;
  one.since = kSteady - std::chrono::seconds(1);
  return one;
}

}  // namespace genapp::agent
