#include "agent/view.hpp"

#include <array>

namespace genapp::agent {
namespace {

// Each in the order of its enumeration.
constexpr std::array<std::string_view, 2> kGoalNames{"online", "offline"};
constexpr std::array<std::string_view, 5> kMonitorKinds{"process", "custom", "http", "smtp",
                                                        "quickcheck"};
constexpr std::array<std::string_view, 3> kMonitorModes{"startup", "long-running", "both"};
constexpr std::array<std::string_view, 5> kMonitorStates{"off", "stabilizing", "watching", "failed",
                                                         "suspended"};
constexpr std::array<std::string_view, 5> kTaskNames{"open", "monitor", "start", "stop", "clean"};
constexpr std::array<std::string_view, 5> kCommandNames{"enable", "disable", "online", "offline",
                                                        "clear"};
constexpr std::array<std::string_view, 4> kEndNames{"done", "failed", "unknown", "timed out"};

}  // namespace

const History::Probe* last_probe(const ResourceView& resource) {
  if (!resource.history || resource.history->probes().empty()) return nullptr;
  return &resource.history->probes().back();
}

std::string_view name_of(Goal goal) { return kGoalNames.at(static_cast<std::size_t>(goal)); }
std::string_view name_of(MonitorKind kind) {
  return kMonitorKinds.at(static_cast<std::size_t>(kind));
}
std::string_view name_of(MonitorMode mode) {
  return kMonitorModes.at(static_cast<std::size_t>(mode));
}
std::string_view name_of(MonitorState state) {
  return kMonitorStates.at(static_cast<std::size_t>(state));
}
std::string_view name_of(Task task) { return kTaskNames.at(static_cast<std::size_t>(task)); }
std::string_view name_of(Command command) {
  return kCommandNames.at(static_cast<std::size_t>(command));
}
std::string_view name_of(Ended how) { return kEndNames.at(static_cast<std::size_t>(how)); }

}  // namespace genapp::agent
