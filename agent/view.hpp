#pragma once

// What the agent shows of itself: to `genapp status`, the status page and Prometheus.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.hpp"
#include "agent/history.hpp"
#include "agent/machine.hpp"
#include "common/clock.hpp"

namespace genapp::agent {

enum class Goal { online, offline };

enum class MonitorState {
  off,          // the resource is not in service
  stabilizing,  // not begun yet
  watching,
  failed,  // its failure action was taken; it is watched on
  suspended,
};

struct MonitorView {
  std::string name;
  MonitorKind kind{};
  MonitorMode mode{};
  MonitorState state{};
  std::size_t restarts = 0;  // that count at the moment
  std::string reason{};      // of the last failure; may be empty
};

struct ResourceView {
  std::string tag;
  std::string id;
  std::string type;
  std::string group{};
  bool critical = false;
  std::vector<std::string> depends_on{};
  State state{};
  bool faulted = false;
  std::string fault{};  // why; may be empty
  bool suspended = false;
  bool wanted = true;  // false: it is to be online on another node
  std::optional<Task> running{};
  std::optional<Command> waiting{};
  std::optional<Goal> goal{};         // what it is on its way to; nothing: it stays
  common::Clock::time_point since{};  // in this state
  std::string last_reason{};          // the last monitor's words; may be empty
  Machine::Counts counts{};
  std::vector<MonitorView> monitors{};
  const History* history = nullptr;  // the supervisor's; valid until it is told something
};

struct GroupView {
  std::string name;
  bool standby = false;       // it is to be online on another node
  bool falling_over = false;  // it is being given up on this node
};

struct View {
  std::vector<ResourceView> resources{};  // by tag
  std::vector<GroupView> groups{};        // by name
};

// The last look at it; nullptr: there was none.
const History::Probe* last_probe(const ResourceView& resource);

std::string_view name_of(Goal goal);           // "online", "offline"
std::string_view name_of(MonitorKind kind);    // "process", "custom", "http", "smtp", "quickcheck"
std::string_view name_of(MonitorMode mode);    // "startup", "long-running", "both"
std::string_view name_of(MonitorState state);  // "off", …
std::string_view name_of(Task task);           // "open", "monitor", "start", "stop", "clean"
std::string_view name_of(Command command);     // "enable", …
std::string_view name_of(Ended how);           // "done", "failed", "unknown", "timed out"

}  // namespace genapp::agent
