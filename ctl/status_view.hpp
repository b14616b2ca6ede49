#pragma once

// What `genapp status` prints. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/agent_status.hpp"
#include "ctl/observe.hpp"

namespace genapp::ctl {

// TAG ID TYPE STATE PID PORT "LAST PROBE" PROBES FLAG. A dash stands for what does not apply, a
// question mark for what could not be told. PORT is the daemon's, else the one in info; PROBES are
// those that were answered. Of a script resource PID is that of a runner at work, with its action,
// else that of its command under a supervisor; of a remote one, else "PID on GUEST".
//
// Where an agent runs, a second table: TAG GROUP AGENT GOAL TASK MONITORS FAULT (agent_view.hpp).
std::string status_table(const std::vector<Observed>& all,
                         const std::optional<AgentStatus>& agent = std::nullopt);

// One line, with its line feed. Names and meanings stay; keys may be added.
//   {"version":1,"resources":[{
//     "tag":"lb","id":"app1","type":"lbhc",
//     "info":"54321 OK",
//     "state":"ISP",         ISP, ISU, OSU or OSF
//     "alive":true,          a process holds the lock of ID.pid; for a script: one of the
//                            resource's scripts or its supervised command runs just now; for a
//                            remote: an action, or the command in the guest
//     "pid":123,             the daemon's, the runner's or the command's; null: there is none, or
//                            it can't be told
//     "action":null,         but for an lbhc: the action that runs, "restore", "quickCheck", ...
//     "node":null,           for a remote: the guest
//     "guest_pid":null,      for a remote: the pid of its command there
//     "port":54321,          the one in info; the daemon's own is in "daemon"
//     "flag":false,          ID-hc-ng exists
//     "cause":null,          why no probe comes: "never probed", "stopped after ..."
//     "daemon":{...},        its status line (lbhc/status.hpp); null: there is none, or, with
//                            "alive":true, it hangs
//     "error":null,          what could not be told, and why
//     "agent":null           what the agent says of it (docs/man/genapp.8); null: no agent runs, or
//                            it knows no such resource
//   }]}
// By tag. id, type, info, state and port are null when they could not be read; without an id
// nothing else was looked for. port, flag, cause and daemon are an lbhc's.
std::string status_json(const std::vector<Observed>& all,
                        const std::optional<AgentStatus>& agent = std::nullopt);

// A line for every resource with an error.
std::string status_problems(const std::vector<Observed>& all);

// "2.1 s", "3 min 20 s", "5 h 2 min", "4 d 7 h".
std::string age_text(std::int64_t milliseconds);

}  // namespace genapp::ctl
