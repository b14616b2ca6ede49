#pragma once

// The table [script] of a resource file, and of genapp.toml as its defaults.

#include <sys/types.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/spawn.hpp"
#include "common/toml_file.hpp"
#include "script/action.hpp"

namespace genapp::script {

struct Command {
  std::vector<std::string> argv;  // empty: the user has none for this action
  common::Clock::duration timeout{};
};

enum class Start {
  sync,   // restore's script starts the application and ends
  async,  // restore's command is the application, under a supervisor
};

struct Config {
  std::array<Command, kActions.size()> commands;  // by Action
  // From TERM to KILL for a script that takes too long.
  common::Clock::duration kill_after = std::chrono::seconds(5);
  std::vector<std::string> pass_environment;  // names
  std::string user;                           // a name or a number; empty: the caller
  std::optional<mode_t> umask;
  std::vector<common::ResourceLimit> limits;
  Start start = Start::sync;
  // Async. How long the command must have run for its start to count.
  common::Clock::duration started_after = std::chrono::seconds(1);
  bool restart = false;     // recover starts it anew
  std::string home_server;  // the host on which CLP_SERVER is HOME; empty: every one

  const Command& command(Action action) const {
    return commands.at(static_cast<std::size_t>(action));
  }
};

// `settings`: genapp.toml, when there is one. Throws common::Error naming file, line and key. Which
// files a `folder` holds is looked up.
Config read_config(const common::TomlFile* settings, const common::TomlFile& resource);

}  // namespace genapp::script
