#pragma once

// The appserver: its identity on this node, its listener, its connections and sessions, around one
// event loop.

#include "common/exit_code.hpp"

namespace genapp::remote {

// Runs until TERM or INT; the commands go on. HUP: the policy is read anew, and the log file is
// opened anew. Throws common::Error when it can't begin.
common::ExitCode run_server();

}  // namespace genapp::remote
