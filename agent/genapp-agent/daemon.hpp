#pragma once

// The agent at work: one event loop around the supervisor, with its hands, control socket, status
// page and watchdog.

#include <string>

#include "common/exit_code.hpp"

namespace genapp::agent {

struct DaemonSettings {
  std::string programs{};  // the folder of the four executables; empty: where they are installed
};

// Blocks until TERM or INT. Applications stay as they are, and what is under way goes on. Throws
// common::Error when it can't start: another agent runs, LifeKeeper has the resources, …
common::ExitCode run_daemon(const DaemonSettings& settings);

}  // namespace genapp::agent
