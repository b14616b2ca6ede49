#pragma once

// At which system calls a program is struck, and how: decided from a trace of an undisturbed run.

#include <string>
#include <vector>

#include "tests/sweep/trace.hpp"

namespace genapp::tests {

// Which process of a program: itself, or the daemon that it forks.
enum class Who { command = 0, daemon = 1 };

struct Point {
  Who who = Who::command;
  int number = 0;  // of the system call
  std::string call;
  int nth = 0;               // among the process's calls of that name, from 1
  int error = 0;             // 0: SIGKILL
  bool before_main = false;  // in libc's start-up
  std::string traced{};      // the call as the undisturbed run made it

  // "command openat#5 ENOSPC", "daemon close#1 KILL".
  std::string text() const;
};

enum class Choice { every, spread };

// SIGKILL at each call. `spread`: at the first and the last of each name.
std::vector<Point> kill_points(const Trace& trace, Who who, Choice choice);

// At each call, each errno that errnos_of() gives for it. `spread`: each errno once for each name,
// at the last call; ENOSPC at each epoll_ctl.
std::vector<Point> errno_points(const Trace& trace, Who who, Choice choice);

// Which of the swept errnos (ENOSPC, EIO, EMFILE, ENFILE, ENOMEM, EINTR, EAGAIN, EACCES,
// ECONNABORTED) the kernel can answer to this call, by its man page.
std::vector<int> errnos_of(const TracedCall& call);

}  // namespace genapp::tests
