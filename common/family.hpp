#pragma once

// The processes that a program has started, whatever group, session or parent they have taken.
// While the runner lives they are its descendants, because it is their subreaper (prctl(2)):
// whoever loses its parent becomes the runner's own child, whose pid nobody else can get before it
// is reaped. What a runner that was killed has left is known by a variable in its environment.

#include <sys/types.h>

#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/pid_file.hpp"

namespace genapp::common {

// Marks in the environment every process of one run of a script or a remote command.
inline constexpr char kRunVariable[] = "GENAPP_RUN";

// Its value for what the calling process starts: its pid and start time. Throws Error.
std::string own_run();
// The same for the process that a file names.
std::string run_of(const PidRecord& record);

// Children that are none of a script's leftovers. They are not reaped here, so their pids stay
// theirs.
using Others = std::vector<pid_t>;

// From now on orphans among our descendants become our children. Returns the children that we have
// already: a shell that becomes the runner (`something & exec restore ...`) leaves us its own.
// Throws Error.
Others adopt_orphans();

// Whether we have a child that has not ended, besides `others`. Reaps those that have ended. Throws
// Error.
bool has_children(const Others& others);

// KILL for all our descendants but `others`, generation after generation, and reaps them. What
// descends from one of `others` is reached once that one has ended. False when some are still there
// after `limit` (a process in an uninterruptible wait). Throws Error.
bool end_children(const Others& others, Clock::duration limit);

// KILL for every process with GENAPP_RUN=`run` in its environment, ourselves excepted. False as
// above. A process that has overwritten its environment is not found. Throws Error.
bool end_carriers(const std::string& run, Clock::duration limit);

}  // namespace genapp::common
