#include <errno.h>

#include <initializer_list>
#include <string_view>

#include "tests/sweep/points.hpp"

namespace genapp::tests {
namespace {

// Which call may fail with what, from the ERRORS of its man page, and EIO where a
// file system must read its disk. `only` is what the traced line
// must hold: the same call on a file, a socket or an event descriptor fails differently. A call
// without a row (getpid, rt_sigaction, umask, timerfd_settime ...) can't fail with any of these.
// Nor can the event loop's signal pipe: it is non-blocking, so nothing in it waits or is
// interrupted, and it is never full.
struct Row {
  std::string_view call;
  std::string_view only;
  std::initializer_list<int> errnos;
};

const Row kRows[] = {
    // Files.
    {"openat", "", {EMFILE, ENFILE, ENOMEM, EACCES, EIO}},
    {"openat", "O_CREAT", {ENOSPC}},
    {"newfstatat", "", {ENOMEM, EACCES, EIO}},
    {"access", "", {ENOMEM, EACCES, EIO}},
    {"readlink", "", {ENOMEM, EACCES, EIO}},
    {"unlinkat", "", {ENOMEM, EACCES, EIO}},
    {"renameat", "", {ENOMEM, EACCES, EIO, ENOSPC}},
    {"chdir", "", {ENOMEM, EACCES, EIO}},
    {"read", "</", {EIO, EINTR}},
    {"pread64", "</", {EIO, EINTR}},
    {"write", "</", {EIO, EINTR, ENOSPC}},
    {"pwrite64", "</", {EIO, EINTR, ENOSPC}},
    {"ftruncate", "", {EIO, EINTR}},
    {"fsync", "", {EIO, EINTR, ENOSPC}},
    {"close", "</", {EIO, EINTR, ENOSPC}},
    {"fcntl", "F_OFD_SETLK", {EAGAIN, EACCES, ENOMEM}},
    {"fcntl", "F_DUPFD", {EMFILE}},
    // Sockets.
    {"socket", "", {EMFILE, ENFILE, ENOMEM, EACCES}},
    {"socketpair", "", {EMFILE, ENFILE, ENOMEM}},
    {"bind", "", {ENOMEM, EACCES}},
    {"bind", "AF_UNIX", {EIO, ENOSPC}},
    {"accept4", "", {EMFILE, ENFILE, ENOMEM, ECONNABORTED, EINTR, EAGAIN}},
    {"connect", "", {EACCES, EAGAIN, EINTR}},
    {"sendto", "", {ENOMEM, EINTR, EAGAIN}},
    {"recvfrom", "", {EINTR, EAGAIN}},
    {"read", "<TCP", {EINTR, EAGAIN}},
    {"read", "<UNIX", {EINTR, EAGAIN}},
    // The event loop.
    {"epoll_create1", "", {EMFILE, ENFILE, ENOMEM}},
    {"eventfd2", "", {EMFILE, ENFILE, ENOMEM}},
    {"timerfd_create", "", {EMFILE, ENFILE, ENOMEM}},
    {"pipe2", "", {EMFILE, ENFILE}},
    {"pipe", "", {EMFILE, ENFILE}},
    {"epoll_ctl", "EPOLL_CTL_ADD", {ENOMEM, ENOSPC}},
    {"epoll_wait", "", {EINTR}},
    {"poll", "", {ENOMEM, EINTR}},
    // Memory and processes.
    {"brk", "", {ENOMEM}},
    {"mmap", "", {ENOMEM, EAGAIN}},
    {"mprotect", "", {ENOMEM, EACCES}},
    {"getrandom", "", {EAGAIN, EINTR}},
    {"clone", "", {EAGAIN, ENOMEM}},
    {"pidfd_open", "", {EMFILE, ENFILE, ENOMEM}},
    {"wait4", "", {EINTR}},
    // What a daemon gives up (lbhc/confine.cpp), and what a process is asked for before a signal.
    {"landlock_create_ruleset", "", {EOPNOTSUPP, ENOMEM}},
    {"landlock_restrict_self", "", {ENOMEM}},
    {"prctl", "PR_SET_SECCOMP", {EINVAL, ENOMEM}},
    {"statx", "", {ENOMEM, EACCES}},
};

}  // namespace

std::vector<int> errnos_of(const TracedCall& call) {
  std::vector<int> errnos;
  for (const Row& row : kRows) {
    if (row.call == call.name && call.text.find(row.only) != std::string::npos) {
      errnos.insert(errnos.end(), row.errnos);
    }
  }
  return errnos;
}

}  // namespace genapp::tests
