#include "agent/view.hpp"

#include <array>

namespace genapp::agent {
namespace {

// Each in the order of its enumeration.
constexpr std::array<std::string_view, 2> kGoals{"online", "offline"};
constexpr std::array<std::string_view, 5> kKinds{"process", "custom", "http", "smtp", "quickcheck"};
constexpr std::array<std::string_view, 3> kModes{"startup", "long-running", "both"};
constexpr std::array<std::string_view, 5> kStates{"off", "stabilizing", "watching", "failed",
                                                  "suspended"};
constexpr std::array<std::string_view, 5> kTasks{"open", "monitor", "start", "stop", "clean"};
constexpr std::array<std::string_view, 5> kCommands{"enable", "disable", "online", "offline",
                                                    "clear"};
constexpr std::array<std::string_view, 4> kEnds{"done", "failed", "unknown", "timed out"};

}  // namespace

std::string_view name_of(Goal goal) { return kGoals.at(static_cast<std::size_t>(goal)); }
std::string_view name_of(MonitorKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
std::string_view name_of(MonitorMode mode) { return kModes.at(static_cast<std::size_t>(mode)); }
std::string_view name_of(MonitorState state) { return kStates.at(static_cast<std::size_t>(state)); }
std::string_view name_of(Task task) { return kTasks.at(static_cast<std::size_t>(task)); }
std::string_view name_of(Command command) {
  return kCommands.at(static_cast<std::size_t>(command));
}
std::string_view name_of(Ended how) { return kEnds.at(static_cast<std::size_t>(how)); }

}  // namespace genapp::agent
