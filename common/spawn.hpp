#pragma once

// Starts another program. On Boost.Process, whose launcher alone is used: what its children inherit
// and how they are waited for is ruled here (docs/architecture.md, "Children").

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/fd.hpp"

namespace genapp::common {

// Whom a program runs as.
struct Identity {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;  // the supplementary ones
};

struct ResourceLimit {
  int resource = 0;        // RLIMIT_NOFILE, …
  std::uint64_t most = 0;  // soft and hard, in setrlimit(2)'s units
  bool soft_only = false;  // the hard one stays as it is; `most` is not above it
};

// The child: leader of a session and process group of its own, with /dev/null as standard input,
// every signal at its default and none blocked, and no descriptor but 0, 1 and 2.
struct Spawn {
  std::vector<std::string> argv;         // argv[0]: the path of the executable
  std::vector<std::string> environment;  // "NAME=VALUE"; the child gets no other
  int out = -1;                          // its standard output; -1: /dev/null
  int err = -1;                          // its standard error; -1: /dev/null
  std::optional<Identity> identity{};    // nothing: ours
  std::optional<mode_t> umask{};         // nothing: 022
  std::string directory = "/";           // its working directory, entered with its own rights
  std::vector<ResourceLimit> limits{};
  // KILL for the child should this thread end before it. Its own children are not reached by this.
  bool ends_with_parent = true;
  // Where the child, before it becomes the program, writes "PID START_TICKS\n" (pid_file.hpp); -1:
  // nowhere. So one that is started is on record even if its parent ends at once after the fork.
  // That it can't be written keeps no program from being started.
  int pid_record = -1;
};

// The program could not be started; errno_value() says why.
class StartError : public Error {
 public:
  StartError(const std::string& text, int errno_value) : Error(text), errno_value_(errno_value) {}
  int errno_value() const { return errno_value_; }

 private:
  int errno_value_;
};

// How a process ended.
struct Ending {
  bool signalled = false;
  int number = 0;  // the exit code, or the signal
  friend bool operator==(const Ending&, const Ending&) = default;
};

// A child that has not been reaped: until then its pid, and the number of its process group, belong
// to nobody else. The destructor leaves it as it is.
class Child {
 public:
  Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid() const { return pid_; }
  const Fd& pidfd() const { return pidfd_; }

  // Waits for its end without reaping it, `timeout` at most. True when it has ended. Throws Error.
  bool wait(Clock::duration timeout) const;
  // Blocks until it has ended. Throws Error.
  Ending reap();

 private:
  pid_t pid_;
  Fd pidfd_;
};

// Blocks until the program runs or is known not to. Throws StartError when it can't be executed,
// Error when its surroundings can't be made. To be called from the thread that lives longest.
Child spawn(const Spawn& what);

// Why execve(2) of `path` failed with `error`, for people: what is wrong with the file, its first
// line or its interpreter. One line without `path`.
std::string why_not_executed(const std::string& path, int error);

}  // namespace genapp::common
