#pragma once

// What the agent keeps of a resource for the agent after it, in RUN_DIR/agent/resources/TAG: one
// line of JSON. It goes with a reboot, as the resources do.

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/machine.hpp"
#include "agent/view.hpp"

namespace genapp::agent {

// Of a long-running monitor that has restarted its resource: MonitorPolicy's.
struct MonitorRecord {
  std::size_t restarts = 0;
  // By common::Clock, which all agents between two boots share: when the resource came in service.
  std::chrono::milliseconds in_service_since{};
  friend bool operator==(const MonitorRecord&, const MonitorRecord&) = default;
};

struct Record {
  std::string id{};     // of the resource that had the tag
  std::string group{};  // whose `standby` it is
  bool enabled = true;
  bool suspended = false;
  bool faulted = false;
  std::string fault{};   // why
  bool standby = false;  // of its group
  std::optional<Goal> goal{};
  // Faulted, and what follows from it for others may not be begun yet.
  bool new_fault = false;
  bool giving_up = false;      // faulted; on_fallover is run once it is offline
  std::optional<Task> task{};  // start, stop or clean under way
  bool by_recover = false;     // of the task: TaskRun::by_recover
  bool not_taken_out = false;  // its last stop or clean has failed
  std::string monitor{};       // of the task: whose restart it is part of; empty: of none
  // In which the task runs; without one: Online or one of the two waits, else of no use.
  State state = State::detached;
  std::size_t restarts = 0;  // Machine::Counts
  std::size_t tolerated = 0;
  std::map<std::string, MonitorRecord> monitors{};  // by name; earlier agents kept none
  friend bool operator==(const Record&, const Record&) = default;
};

std::string format_record(const Record& record);
// Nothing when the text is no record.
std::optional<Record> parse_record(std::string_view text);

}  // namespace genapp::agent
