#include "common/state.hpp"

#include <array>

namespace genapp::common {
namespace {

struct Row {
  State state;
  std::string_view text;
};

constexpr std::array kStates{
    Row{State::in_service_protected, "ISP"},
    Row{State::in_service_unprotected, "ISU"},
    Row{State::out_unimpaired, "OSU"},
    Row{State::out_failed, "OSF"},
};

}  // namespace

std::string_view state_text(State state) {
  for (const Row& row : kStates) {
    if (row.state == state) return row.text;
  }
  return "?";
}

std::optional<State> parse_state(std::string_view text) {
  for (const Row& row : kStates) {
    if (row.text == text) return row.state;
  }
  return std::nullopt;
}

std::string state_line(State state) { return std::string(state_text(state)) + "\n"; }

std::optional<State> parse_state_line(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  return parse_state(text.substr(0, text.size() - 1));
}

}  // namespace genapp::common
