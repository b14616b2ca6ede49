#pragma once

// Other processes, held by pidfd: a pid can be reused, a pidfd can't.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/clock.hpp"
#include "common/fd.hpp"

namespace genapp::common {

// Field 22 of /proc/PID/stat (proc(5)): clock ticks after boot. Nothing when there is no such
// process. With the pid it names one process for the whole uptime.
std::optional<std::uint64_t> start_ticks(pid_t pid);

// Whether that one process is there and has not ended; a zombie has.
bool runs(pid_t pid, std::uint64_t ticks);

// The ticks from the file's text; for the parser's tests. The second field, the command name, is in
// parentheses and may itself hold spaces and parentheses.
std::optional<std::uint64_t> start_ticks_from_stat(std::string_view stat);

// Nothing when there is no such process. Throws Error.
std::optional<Fd> open_pidfd(pid_t pid);

// False when the process is gone already. Throws Error.
bool send_signal(const Fd& pidfd, int signal);

// Blocks until the process has ended, `timeout` at most. True when it has ended.
bool wait_for_end(const Fd& pidfd, Clock::duration timeout);

}  // namespace genapp::common
