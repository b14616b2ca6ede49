#pragma once

// The table [remote] of a resource file, and of genapp.toml as its defaults.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/identifier.hpp"
#include "common/toml_file.hpp"

namespace genapp::remote {

// A command in a guest, as the four actions and genapp know it.
struct RemoteConfig {
  std::string node;                   // a name or an address, without a port
  std::optional<std::uint16_t> port;  // nothing: appmgr's own setting
  std::string session;                // the command's name on the guest
  std::vector<std::string> command;
  std::vector<std::string> environment;  // "NAME=VALUE", for the command
  std::string appmgr;                    // the program's path; empty: looked for
  // For how long the guest may be silent; whole, as appmgr takes them.
  std::chrono::seconds timeout{10};
  std::chrono::seconds kill_after{10};  // from TERM to KILL; the guest's policy may say less
  common::Clock::duration start_timeout = std::chrono::seconds(60);
  common::Clock::duration stop_timeout = std::chrono::seconds(60);
  // How long the command must have run for its start to count.
  common::Clock::duration started_after = std::chrono::seconds(1);
  bool already_running_is_ok = true;
  bool remove_unreachable_is_ok = false;
  bool unreachable_is_healthy = false;
  bool recover_restarts = true;
};

// `settings`: genapp.toml, when there is one. `id`: the resource's, which names the session unless
// the resource says another. Throws common::Error naming file, line and key.
RemoteConfig read_remote_config(const common::TomlFile* settings, const common::TomlFile& resource,
                                const common::Id& id);

}  // namespace genapp::remote
