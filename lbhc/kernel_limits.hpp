#pragma once

// Two kernel mechanisms by which a process gives up what it does not need. Both need
// PR_SET_NO_NEW_PRIVS and hold until the process's end. False where the kernel has them not, or a
// container forbids them; and in builds with sanitizers, whose runtimes need more.

#include <string>

#include "common/directory.hpp"

namespace genapp::lbhc {

// seccomp(2): only the system calls of a serving daemon.
bool limit_system_calls();

// landlock(7): no file but those of the run directory and of the log file's folder (none if empty)
// can be opened; no TCP connection made and no signal sent to others where the kernel knows those
// rules. What is open already stays usable.
bool limit_files(const common::Directory& run_dir, const std::string& log_folder);

}  // namespace genapp::lbhc
