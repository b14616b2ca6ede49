#pragma once

// What the agent says, read (agent/control.hpp has the protocol). Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace genapp::ctl {

struct AgentMonitor {
  std::string name;
  std::string state;  // "watching", "failed", ...
};

struct AgentResource {
  std::string tag;
  std::string group;  // empty: none
  std::string state;  // "Online", "GoingOnlineWait", ...
  bool faulted = false;
  std::string fault;  // why; may be empty
  bool suspended = false;
  std::optional<std::string> running;  // the task that runs: "start", "monitor", ...
  std::optional<std::string> goal;     // "online" or "offline", on its way there
  std::string last_reason;             // the last monitor's words; may be empty
  std::string last_probe;              // "done", "failed", "unknown", "timed out"; empty: none
  std::vector<AgentMonitor> monitors;
  std::string json;  // all of it as the agent has said it
};

struct AgentGroup {
  bool standby = false;
  bool falling_over = false;
};

struct AgentStatus {
  std::string version;
  std::int64_t pid = 0;
  std::string since;
  std::map<std::string, AgentGroup> groups;        // by name
  std::map<std::string, AgentResource> resources;  // by tag
};

struct AgentEvent {
  std::uint64_t seq = 0;
  std::string time;
  std::string severity;
  std::string kind;
  std::string tag;  // empty: of no one resource
  std::string text;
  std::string json;  // all of it as the agent has said it
};

struct AgentEvents {
  std::int64_t pid = 0;            // the agent's
  std::uint64_t last = 0;          // the newest there is
  std::vector<AgentEvent> events;  // oldest first
};

// Each throws common::Error: with the agent's own words where it has refused, and otherwise when
// the answer is none.
AgentStatus parse_agent_status(std::string_view answer);
AgentEvents parse_agent_events(std::string_view answer);
// What it has to say to an order that it follows; may be empty.
std::string parse_agent_text(std::string_view answer);

}  // namespace genapp::ctl
