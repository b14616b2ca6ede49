#pragma once

// Starts the daemon in the background and waits until it serves.

#include <functional>

#include "common/log.hpp"
#include "lbhc/daemon.hpp"

namespace genapp::lbhc {

struct Launch {
  const common::Directory& run_dir;
  const common::Tag& tag;
  const common::Id& id;
  const Config& config;
  bool wait_first_probe;
  const common::log::DaemonLog& log;
  const std::string& user;  // Confinement
  // Called in the daemon, with ID.lock held, before anything is touched; throws to give up.
  std::function<void()> before_start = [] {};
  // Called here with ID.lock held, once the daemon is ready and known to be alive; throws to have
  // everything undone.
  std::function<void()> take_note;
};

// Forks (the daemon is this program's own image: LifeKeeper copies and renames executables, so no
// other file can be relied on) and blocks until the daemon is ready, HC_TIMEOUT and 20 s at most.
// When it returns, the daemon runs on its own: a session leader in /, without the caller's
// descriptors. Throws DaemonIsRunning, or common::Error with the daemon's reason; then no process
// and no file of it stays. Should the caller be killed meanwhile, the daemon undoes itself.
void launch_daemon(const Launch& launch);

}  // namespace genapp::lbhc
