#pragma once

// Whether a process really is the one that holds a file's lock (common/file_lock.hpp). A number
// that a file tells proves nothing about the process of that number: who may write the file can
// name any. Asked before a signal is sent, not by those who only look.

#include <sys/types.h>

#include <optional>
#include <string_view>

#include "common/fd.hpp"

namespace genapp::common {

// True when the process has the user of the file's owner, and one of its descriptors is this file
// and holds a lock on it: /proc/PID/fdinfo (proc(5)). The file's owner alone decides where we may
// not look at the process's descriptors: root without CAP_SYS_PTRACE (containers), another user.
// Then a liar can name only processes of its own user, which it could signal itself. False, too,
// for a process that is gone. Reads only; never waits for a file system. Throws Error.
bool holds_lock(pid_t pid, const Fd& file);

// The effective user in /proc/PID/status. Pure.
std::optional<uid_t> user_from_status(std::string_view status);
// Whether /proc/PID/fdinfo/N tells of a lock as common/file_lock.hpp takes it. Pure.
bool tells_of_lock(std::string_view fdinfo);

}  // namespace genapp::common
