#pragma once

// A resource's state on this node, in LifeKeeper's words.

#include <optional>
#include <string>
#include <string_view>

namespace genapp::common {

enum class State {
  in_service_protected,    // ISP: in service and watched
  in_service_unprotected,  // ISU: in service; quickCheck looks away
  out_unimpaired,          // OSU: out of service, could be brought in
  out_failed,              // OSF: out of service because restore failed
};

std::string_view state_text(State state);  // "ISP", …
std::optional<State> parse_state(std::string_view text);

// ID.state's text: the word and a line feed. Nothing when it is anything else, such as half of one.
std::string state_line(State state);
std::optional<State> parse_state_line(std::string_view text);

inline bool in_service(State state) {
  return state == State::in_service_protected || state == State::in_service_unprotected;
}

}  // namespace genapp::common
