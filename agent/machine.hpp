#pragma once

// One resource's life: what is asked, what has ended and what a monitor has seen goes in; what is
// to be run comes out. Pure: the time is given, and who runs what comes out tells the machine when
// it has ended. One thing runs at a time; commands that come meanwhile wait for it.

#include <cstddef>
#include <optional>
#include <vector>

#include "agent/attributes.hpp"
#include "agent/states.hpp"
#include "common/clock.hpp"

namespace genapp::agent {

// What can run for a resource.
enum class Task { open, monitor, start, stop, clean };

enum class Command { enable, disable, online, offline, clear };

// How a task ended.
enum class Ended {
  done,       // a command with 0; of a monitor: the resource is online
  failed,     // a command with another code; of a monitor: the resource is offline
  unknown,    // of a monitor: it can't tell
  timed_out,  // it was ended by force
};

struct Step {
  // To be run now, and to be ended by force after the time limit; its end is to be told.
  struct Run {
    Task task;
    Attributes::Duration limit{};
  };
  std::optional<Run> run{};
  const Row* row = nullptr;  // what was done; nothing when nothing changed
  bool dropped = false;      // the monitor that ran is not waited for any more, whatever it says
  bool refused = false;      // the command can't be followed in this state
  bool waits = false;        // the command is followed when what runs has ended
};

class Machine {
 public:
  using Clock = common::Clock;

  // `phase`, above 0 and at most 1: the part of an interval after which the first monitor of a
  // state is due, so that a thousand resources are not all due at once.
  explicit Machine(Attributes attributes, double phase = 1)
      : attributes_(attributes), phase_(phase) {}

  // `now` never goes back.
  Step command(Command command, Clock::time_point now);
  // What a step has run has ended. What follows from it, and from the command that has waited for
  // it, if one has: one step or two, of which the last alone may run something.
  std::vector<Step> ended(Task task, Ended how, Clock::time_point now);
  // A monitor beside has failed (seed 001), which has its own count of restarts. What follows where
  // the resource is online; where it is not, others find out by themselves.
  enum class Failure { restart, fallover };
  Step failed(Failure failure, Clock::time_point now);
  // Nobody is to look at it where it is Online or Offline: a monitor that runs is dropped.
  Step look_away(Clock::time_point now);
  // due() has come. Nothing to run while something runs.
  Step tick(Clock::time_point now);
  // When a monitor is due; nothing when none is, or something runs.
  std::optional<Clock::time_point> due() const;

  // Whether this node is one on which the resource's group is to be online (rule 8): where it is
  // not, a resource that is seen online without a command is taken offline.
  void set_wanted(bool wanted) { wanted_ = wanted; }

  // Whether it was told to go offline, which waits for others to go first: that it goes by itself
  // is no failure then.
  void set_leaving(bool leaving) { leaving_ = leaving; }

  // From now on; what is due later than they say is due when they say.
  void set_attributes(const Attributes& attributes, Clock::time_point now);

  // What an earlier agent has known; to be told to a machine that is still detached.
  void remember(bool faulted, std::size_t restarts, std::size_t tolerated);
  // It was in `state` with an earlier agent, and `task` was begun and goes on, or is a monitor that
  // is to tell whether it still is so; without one that is due at once. To be told to a machine
  // that is still detached; the states and tasks are those of record.hpp. Step::run says how long.
  Step adopt(State state, std::optional<Task> task, Clock::time_point now);

  State state() const { return state_; }
  // A fault keeps the resource from being started here until it is cleared.
  bool faulted() const { return faulted_; }
  std::optional<Task> running() const { return running_; }
  std::optional<Command> waiting() const { return waiting_; }

  struct Counts {
    std::size_t monitor_timeouts = 0;  // in a row
    std::size_t tolerated = 0;
    std::size_t restarts = 0;
    std::size_t retries = 0;  // of this start
    std::size_t waits = 0;    // monitors since the start or stop command ended
    friend bool operator==(const Counts&, const Counts&) = default;
  };
  const Counts& counts() const { return counts_; }

 private:
  Event classify(Command command) const;
  Event classify(Task task, Ended how);
  Event after_monitor(Ended how);
  Event seen_online();
  Event seen_offline();
  Event offline_without_command();
  Event hung();
  Event watch_failed(Failure failure) const;
  bool may_restart();
  Event start_failed(Event retry, Event fault);
  Step take(Event event, Clock::time_point now);
  void enter(const Row& row, Clock::time_point now);
  Step run_for(Action action, Clock::time_point now);
  Step run(Task task);
  std::optional<Step> follow_waiting(Clock::time_point now);
  void forget_after_trust(Clock::time_point now);
  std::optional<Attributes::Duration> pause() const;
  Attributes::Duration limit_of(Task task) const;

  Attributes attributes_;
  double phase_ = 1;
  State state_ = State::detached;
  bool faulted_ = false;
  bool wanted_ = true;
  bool leaving_ = false;
  bool cleaned_ = false;  // since the stop command
  std::optional<Task> running_{};
  std::optional<Command> waiting_{};
  std::optional<Clock::time_point> due_{};
  std::optional<Clock::time_point> online_since_{};
  Counts counts_{};
};

}  // namespace genapp::agent
