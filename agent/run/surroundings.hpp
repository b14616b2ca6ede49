#pragma once

// What the agent's children are given, and how its own programs and a user's commands are called.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.hpp"
#include "agent/run/job.hpp"

namespace genapp::agent {

struct Surroundings {
  std::string programs;                  // the folder of restore, remove, quickCheck and recover
  std::vector<std::string> environment;  // of every child
  // The soft limit of open files; nothing: the agent's own. It raises its own.
  std::optional<std::uint64_t> open_files{};
};

// The agent's own environment without what is said to it alone: systemd's NOTIFY_SOCKET,
// WATCHDOG_* and LISTEN_*, and the mark of a script's run.
std::vector<std::string> environment_for_children(const char* const* own);

// The folder (common/program_folder.hpp). Throws common::Error.
std::string find_action_programs(const std::string& given);

// "NAME -t TAG -i ID"; for an end by force the script runner in it gets TERM, so that its script is
// ended in order.
JobSetup program_call(const Surroundings& around, const std::string& name, const common::Tag& tag,
                      const common::Id& id);

// A user's command, and what it is told; empty: that variable is not set.
struct UserCommand {
  Argv argv;
  std::string tag;
  std::string id{};
  std::string event{};    // GENAPP_EVENT
  std::string monitor{};  // GENAPP_MONITOR
  std::string group{};    // GENAPP_GROUP
  std::string reason{};   // GENAPP_REASON
};
// Both its outputs are kept; when its time is over its process group gets `signal`, and KILL 1 s
// later.
JobSetup user_call(const Surroundings& around, const UserCommand& command, int signal);

}  // namespace genapp::agent
