#pragma once

// appmgr's work: the course of a call (course.hpp) over connections (link.hpp), which are made and
// given up as contact.hpp says; the command's output, signals.

#include "common/exit_code.hpp"
#include "remote/appmgr/options.hpp"

namespace genapp::remote {

// Reads appmgr.toml, blocks until the call is over, and says what is to be said. Threads of it may
// stand in a name look-up or in a write(2) that never ends: whoever calls it ends the process with
// _exit(2). Throws Error.
common::ExitCode run_manager(const CommandLine& line);

}  // namespace genapp::remote
