#pragma once

// What was seen of one id while many actions ran on it at once, from outside: what was called and
// answered, what was done to the processes, what the prober and the run directory said. Written by
// race_lane, judged by checker.

#include <chrono>
#include <string>
#include <vector>

namespace genapp::tests {

using Time = std::chrono::microseconds;  // monotonic, since the history began

enum class Action { restore, remove, recover, quick_check, status };

// One program, from before it was started until after it had ended.
struct Call {
  Action action = Action::restore;
  Time begin{};
  Time end{};
  int exit_code = -1;      // -1: a signal ended it
  bool signalled = false;  // the test sent it TERM or KILL
  bool over_limit = false;
  std::string err;  // standard error
};

// What the test did to a daemon, or to a process that was about to become one.
struct Fault {
  enum class Kind { killed, stopped, continued };
  Kind kind = Kind::killed;
  Time at{};  // just before
};

// One connection of the prober.
struct Attempt {
  enum class Answer {
    whole,    // "OK" and a FIN
    cut,      // a reset, or an end before the whole reply: the daemon ended
    refused,  // nobody listens
    silent,   // connected, and not a byte in time
    wrong     // other bytes, or a reply that does not end
  };
  Time begin{};
  Time end{};
  Answer answer = Answer::refused;
};

// The run directory, read without taking anything.
struct Look {
  Time begin{};
  Time end{};
  bool alive = false;  // the lock of ID.pid is held
  std::string state;   // the state file's word; empty for none
};

// When all calls have ended and what they left has settled.
struct Rest {
  bool settled = true;  // false: after 20 s there was still a daemon that did not serve, or several
  int daemons = 0;      // processes of this run directory
  std::string state;
  std::vector<std::string> files;
  bool port_open = false;
  Call quick_check{Action::quick_check};
  // Then:
  Call remove{Action::remove};
  std::vector<std::string> files_after_remove;
  int daemons_after_remove = 0;
  bool port_open_after_remove = false;
};

struct History {
  Time hc_timeout{};
  bool already_running_ok = false;
  // A restore, with probes coming, before everything else; none when the run began out of service.
  std::vector<Call> first_restore;
  std::string first_state;
  std::vector<Call> first_check;

  std::vector<Call> calls;
  std::vector<Fault> faults;
  std::vector<Attempt> attempts;  // in order, also those of the beginning and the rest
  std::vector<Look> looks;
  Rest rest;
};

}  // namespace genapp::tests
