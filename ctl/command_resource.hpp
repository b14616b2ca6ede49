#pragma once

// `genapp online` and its like: what the agent is told to do with a resource or a group, and, of
// online and offline, whether that has come about. Pure.

#include <chrono>
#include <string>

#include "ctl/agent_status.hpp"

namespace genapp::ctl {

struct CommandArgs {
  std::string word;  // "online", "clear", ...
  bool of_group = false;
  std::string name;  // a tag, or a group's name
  // How long to wait; 0: not at all. Of online and offline only.
  std::chrono::milliseconds wait{0};

  bool waits() const { return wait.count() > 0; }
};

// argv[0] is the word. Throws common::Error (exit code 64).
CommandArgs parse_command_args(int argc, const char* const* argv);

// The agent's request, without its line feed.
std::string request_of(const CommandArgs& args);
// The request for the status of what is waited for.
std::string status_request_of(const CommandArgs& args);

struct Outcome {
  enum class Kind { on_its_way, reached, failed };
  Kind kind = Kind::on_its_way;
  std::string problem{};  // failed, or on its way: a line for each resource that has not got there
};

// How far an online or offline has come. One that stays as it is, with nothing to be done, has not
// reached it and will not.
Outcome outcome_of(const CommandArgs& args, const AgentStatus& status);

}  // namespace genapp::ctl
