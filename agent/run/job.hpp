#pragma once

// One child of the agent's, from its start to its end: what it writes is kept (a part of it), its
// end is an event of the loop, and after its time it is ended by force.

#include <signal.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/run/launcher.hpp"
#include "common/clock.hpp"
#include "common/fd.hpp"
#include "common/pid_file.hpp"
#include "common/spawn.hpp"

namespace genapp::agent {

struct JobSetup {
  // What its standard output and error, or the latter alone, go to.
  enum class Output {
    // A file in memory: also for one that outlives the agent, whom a pipe without a reader would
    // kill (SIGPIPE). At 1 MiB, seen within a second, and at its end, it is sealed: what its
    // descendants write then fails.
    file,
    pipe,  // read at once, and all but the first bytes thrown away
  };
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::vector<common::ResourceLimit> limits{};
  Urgency urgency = Urgency::monitor;
  Output output = Output::file;
  bool with_standard_output = false;
  bool outlives_us = false;
  common::Fd pid_record{};  // common/spawn.hpp

  // Its time, from its start. Then the signal, and KILL for its process group `grace` later.
  common::Clock::duration limit{};
  int signal = SIGTERM;
  bool to_group = false;  // the signal too
  common::Clock::duration grace = std::chrono::seconds(5);
};

struct JobEnd {
  enum class How { ended, timed_out, not_started };
  How how = How::ended;
  common::Ending ending{};  // of one that ended by itself
  // What it wrote, 4 KiB at most: of a file the last, of a pipe the first. Of one that was not
  // started: why not, one line.
  std::string text{};
  common::Clock::duration took{};

  bool well() const { return how == How::ended && ending == common::Ending{}; }
};

// One line: the last of what it wrote (of genapp's own log: the last error), or how it ended.
// `name`: of what was run.
std::string reason_of(const JobEnd& end, const std::string& name, common::Clock::duration limit);

class Job {
 public:
  // Called once, from the event loop, never from within what has begun the job.
  using Done = std::function<void(const JobEnd&)>;

  // `io` and `launcher` outlive it.
  Job(boost::asio::io_context& io, Launcher& launcher, JobSetup setup, Done done);
  // Another agent's child, if it runs: it is told as ended with 0 whatever its code, which nobody
  // can know. Its group gets no signal, since its number can't be held.
  Job(boost::asio::io_context& io, const common::PidRecord& process, JobSetup setup, Done done);
  // Nothing is told any more. What runs gets KILL, unless it is to outlive us, and is reaped when
  // it has ended, if the loop runs then.
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace genapp::agent
