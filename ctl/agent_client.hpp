#pragma once

// Asks this node's agent, at its control socket (agent/control.hpp has the protocol).

#include <optional>
#include <string>
#include <string_view>

namespace genapp::ctl {

// What the agent answers to `request`, a line without its line feed: a line, 16 MiB at most.
// Nothing when no agent runs. Blocks for 10 s at most. Throws common::Error when it hangs, or can't
// be reached.
std::optional<std::string> ask_agent(std::string_view request);

// The same, with common::Error when no agent runs.
std::string ask_running_agent(std::string_view request);

// Whether an agent runs, as far as can be told. Asks it nothing.
bool agent_runs();

// How to start one: "the agent does not run: ...".
extern const char kNoAgent[];

}  // namespace genapp::ctl
