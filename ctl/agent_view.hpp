#pragma once

// The agent's part of `genapp status`. Pure.

#include <string>
#include <vector>

#include "ctl/agent_status.hpp"
#include "ctl/observe.hpp"

namespace genapp::ctl {

// A line about the agent and then TAG GROUP AGENT GOAL TASK MONITORS FAULT, of those in `all` that
// it knows. AGENT is the state under the agent, GOAL what it is on its way to, TASK what runs for
// it; a dash stands for none.
std::string agent_table(const std::vector<Observed>& all, const AgentStatus& agent);

}  // namespace genapp::ctl
