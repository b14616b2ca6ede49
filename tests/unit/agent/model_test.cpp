// Every state that a resource can come to under the agent, by whatever commands, ends of tasks and
// monitors' verdicts, with the limits at 0 and 1, from its beginning and from whatever an earlier
// agent has left: what must hold in each.

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "agent/machine.hpp"
#include "agent/view.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using Clock = common::Clock;

// What the world does, and what is known of it: the model's own part of a state.
struct World {
  Machine machine;
  Clock::time_point now{};
  bool seen_offline = false;  // the last verdict was "offline", and nothing was started since
  // What a machine tells nobody.
  bool cleaned = false;
  std::optional<Clock::time_point> online_since{};
};

// Two machines with the same key go on alike; what time it is does not matter.
using Key = std::uint64_t;

Key key_of(const World& world, const Attributes& attributes) {
  const Machine& m = world.machine;
  const auto& counts = m.counts();
  const bool trusted =
      world.online_since && world.now - *world.online_since >= attributes.online_trust_time;
  Key key = 0;
  // One that has 16 values at most.
  const auto add = [&](auto value) { key = key << 4 | static_cast<Key>(value); };
  add(m.state());
  add(m.running() ? static_cast<int>(*m.running()) + 1 : 0);
  add(m.waiting() ? static_cast<int>(*m.waiting()) + 1 : 0);
  for (const std::size_t count :
       {counts.monitor_timeouts, counts.tolerated, counts.restarts, counts.retries, counts.waits}) {
    add(count);
  }
  for (const bool flag :
       {m.faulted(), m.due().has_value(), world.seen_offline, world.cleaned, trusted}) {
    key = key << 1 | static_cast<Key>(flag);
  }
  return key;
}

// One of what can happen to a machine.
struct Input {
  enum class Kind { command, tick, look_away, failed, ended };
  Kind kind{};
  Command command{};
  Machine::Failure failure{};
  Ended how{};
  Clock::duration after{};
  // What the supervisor tells the machine before each.
  bool wanted = true;
  bool leaving = false;
};

std::string name_of(const Input& input) {
  switch (input.kind) {
    case Input::Kind::command:
      return "command " + std::string(name_of(input.command));
    case Input::Kind::tick:
      return "tick";
    case Input::Kind::look_away:
      return "suspended";
    case Input::Kind::failed:
      return input.failure == Machine::Failure::restart ? "a monitor beside failed"
                                                        : "a monitor beside gave up";
    case Input::Kind::ended:
      break;
  }
  return "ended, " + std::string(name_of(input.how)) + (input.wanted ? "" : ", unwanted") +
         (input.leaving ? ", leaving" : "");
}

constexpr Command kCommands[]{Command::enable, Command::disable, Command::online, Command::offline,
                              Command::clear};
constexpr Machine::Failure kFailures[]{Machine::Failure::restart, Machine::Failure::fallover};
constexpr Ended kEnds[]{Ended::done, Ended::failed, Ended::timed_out, Ended::unknown};

// Those that can happen to any machine at any time.
const std::vector<Input>& at_any_time() {
  static const std::vector<Input> kAll = [] {
    std::vector<Input> all{{Input::Kind::tick}, {Input::Kind::look_away}};
    for (const Command command : kCommands) all.push_back({Input::Kind::command, command});
    for (const Machine::Failure failure : kFailures) {
      for (const bool leaving : {false, true}) {
        all.push_back({Input::Kind::failed, {}, failure, {}, {}, true, leaving});
      }
    }
    return all;
  }();
  return kAll;
}

// The ends of what runs.
std::vector<Input> ends_of(const Machine& machine) {
  std::vector<Input> ends;
  if (!machine.running()) return ends;
  const bool monitor = machine.running() == Task::monitor;
  const bool online = machine.state() == State::online;
  for (const Ended how : kEnds) {
    if (how == Ended::unknown && !monitor) continue;
    const Input end{Input::Kind::ended, {}, {}, how};
    const auto add = [&](bool wanted, bool leaving, Clock::duration after) {
      ends.push_back(end);
      ends.back().wanted = wanted;
      ends.back().leaving = leaving;
      ends.back().after = after;
    };
    add(true, false, 0s);
    if (monitor && how == Ended::done) add(false, false, 0s);
    if (online) add(true, false, 601s);
    if (online) add(true, true, 0s);
  }
  return ends;
}

std::vector<Step> apply(const Input& input, World& to) {
  to.machine.set_wanted(input.wanted);
  to.machine.set_leaving(input.leaving);
  switch (input.kind) {
    case Input::Kind::command:
      return {to.machine.command(input.command, to.now)};
    case Input::Kind::tick:
      to.now = std::max(to.now, to.machine.due().value_or(to.now));
      return {to.machine.tick(to.now)};
    case Input::Kind::look_away:
      return {to.machine.look_away(to.now)};
    case Input::Kind::failed:
      return {to.machine.failed(input.failure, to.now)};
    case Input::Kind::ended:
      break;
  }
  const Task task = to.machine.running().value();
  if (task == Task::monitor) to.seen_offline = input.how == Ended::failed;
  to.now += input.after;
  return to.machine.ended(task, input.how, to.now);
}

// What a step says of what the machine has not told.
void note(const Step& step, World& world) {
  if (step.run && step.run->task == Task::start) world.seen_offline = false;
  if (!step.row) return;
  const Row& row = *step.row;
  if (row.from != State::going_offline && row.to == State::going_offline) world.cleaned = false;
  if (row.event == Event::wait_over_clean || row.action == Action::clean_and_note_fault) {
    world.cleaned = true;
  }
  if (row.to != row.from) {
    world.online_since = row.to == State::online ? std::optional(world.now) : std::nullopt;
  }
}

// What Managed tells a machine of a record.
constexpr std::pair<State, std::optional<Task>> kAdopted[]{
    {State::going_online, Task::start},
    {State::going_online, Task::clean},
    {State::going_offline, Task::stop},
    {State::going_offline, Task::clean},
    {State::online, Task::monitor},
    {State::online, std::nullopt},
    {State::going_online_wait, Task::monitor},
    {State::going_offline_wait, Task::monitor},
};

// What runs in which state; no other.
constexpr std::pair<State, Task> kTasks[]{
    {State::opening, Task::open},
    {State::probing, Task::monitor},
    {State::online, Task::monitor},
    {State::offline, Task::monitor},
    {State::going_online, Task::start},
    {State::going_online, Task::clean},
    {State::going_online_wait, Task::monitor},
    {State::going_offline, Task::stop},
    {State::going_offline, Task::clean},
    {State::going_offline_wait, Task::monitor},
};

// What was reached and tried, over all explorations.
struct Seen {
  std::size_t states = 0;
  std::set<std::pair<State, Event>> rows;
  std::set<std::tuple<State, Input::Kind, Command, Machine::Failure>> inputs;
  std::set<std::tuple<State, Task, Ended>> ends;
};

class Explorer {
 public:
  Explorer(const Attributes& attributes, Seen& seen) : attributes_(attributes), seen_(seen) {}

  void run() {
    visit({Machine(attributes_)}, nullptr);
    for (const auto& [state, task] : kAdopted) adopt(state, task);
    while (!open_.empty()) {
      const World world = std::move(open_.front());
      open_.pop_front();
      for (const Input& input : at_any_time()) try_input(world, input);
      for (const Input& input : ends_of(world.machine)) try_input(world, input);
    }
    seen_.states += known_.size();
  }

 private:
  // What an earlier agent has left in a record.
  void adopt(State state, std::optional<Task> task) {
    for (const bool faulted : {false, true}) {
      for (std::size_t restarts = 0; restarts <= attributes_.restart_limit; ++restarts) {
        World world{Machine(attributes_)};
        world.machine.remember(faulted, restarts, attributes_.tolerance_limit);
        const Step step = world.machine.adopt(state, task, world.now);
        EXPECT_EQ(step.run.has_value(), task.has_value());
        if (state == State::online) world.online_since = world.now;
        visit(std::move(world), nullptr);
      }
    }
  }

  void try_input(const World& world, const Input& input) {
    const Machine& m = world.machine;
    if (input.kind == Input::Kind::ended) {
      seen_.ends.insert({m.state(), *m.running(), input.how});
    } else {
      seen_.inputs.insert({m.state(), input.kind, input.command, input.failure});
    }
    World next = world;
    const auto steps = apply(input, next);
    for (const Step& step : steps) {
      note(step, next);
      if (step.row) seen_.rows.insert({step.row->from, step.row->event});
    }
    check_steps(world, next, steps, input);
    visit(std::move(next), &input);
  }

  void visit(World world, const Input* by) {
    if (!known_.insert(key_of(world, attributes_)).second) return;
    check_state(world, by);
    open_.push_back(std::move(world));
  }

  // Cheaper than EXPECT_TRUE() millions of times.
  template <typename Where>
  static void hold(bool holds, const Where& where, const char* what) {
    if (!holds) ADD_FAILURE() << where() << ": " << what;
  }

  void check_state(const World& world, const Input* by) const {
    const Machine& m = world.machine;
    const auto where = [&] {
      return std::string(name_of(m.state())) + " after " + (by ? name_of(*by) : "the beginning");
    };
    const bool idle = !m.running() && !m.due();
    if (m.state() == State::detached) {
      hold(idle, where, "Detached never acts");
    } else if (m.state() == State::offline && !m.running()) {
      const bool looks = attributes_.offline_monitor_interval > 0s;
      hold(m.due().has_value() == looks, where, "it is looked at, or not, against its interval");
    } else {
      hold(!idle, where, "nothing would ever end it");
    }
    const bool rests = !m.running() && !is_unstable(m.state());
    hold(!rests || !m.waiting(), where, "a command waits for nothing");
    const auto& counts = m.counts();
    hold(counts.restarts <= attributes_.restart_limit, where, "restarts beyond their limit");
    hold(counts.tolerated <= attributes_.tolerance_limit, where, "tolerated beyond its limit");
    hold(counts.retries <= attributes_.online_retry_limit, where, "retries beyond their limit");
  }

  void check_steps(const World& before, const World& after, const std::vector<Step>& steps,
                   const Input& input) const {
    const Machine& was = before.machine;
    const Machine& is = after.machine;
    const auto where = [&] {
      return std::string(name_of(was.state())) + ", " + name_of(input) + ", " +
             std::string(name_of(is.state()));
    };
    const bool ended = input.kind == Input::Kind::ended;
    bool cleared = false;
    bool dropped = false;
    std::size_t started = 0;
    for (const Step& step : steps) {
      cleared = cleared || (step.row && step.row->action == Action::clear_fault);
      if (step.run) check_run(before, step, input, where);
      dropped = dropped || step.dropped;
      started += step.run ? 1 : 0;
      hold(!step.refused || !step.row, where, "refused, and followed");
    }
    hold(started <= 1, where, "two tasks at once");
    if (started == 1) hold(is.running() == steps.back().run->task, where, "another task runs");
    if (dropped) {
      hold(was.running() == Task::monitor, where, "only a monitor may be dropped");
    } else if (was.running() && !ended) {
      hold(is.running() == was.running(), where, "forgotten while it runs");
    }
    hold(!was.faulted() || is.faulted() || cleared, where, "a fault is lost");
    const bool goes_offline = was.state() != State::offline && is.state() == State::offline;
    hold(!goes_offline || after.seen_offline, where, "believed offline and not seen so");
  }

  template <typename Where>
  void check_run(const World& before, const Step& step, const Input& input,
                 const Where& where) const {
    const Machine& was = before.machine;
    const bool ended = input.kind == Input::Kind::ended;
    hold(step.run->limit > 0s, where, "without a limit it may never end");
    hold(!was.running() || step.dropped || ended, where, "two tasks at once");
    const bool start = step.run->task == Task::start;
    hold(!start || !was.faulted() || ended, where, "started despite a fault");
    const bool restart =
        step.row && step.row->from == State::online && step.row->to == State::going_online;
    if (!restart) return;
    hold(!was.faulted(), where, "restarted despite a fault");
    hold(!input.leaving, where, "restarted on its way down");
    hold(was.waiting() != Command::disable, where, "restarted though it is to be disabled");
  }

  Attributes attributes_;
  Seen& seen_;
  std::unordered_set<Key> known_;
  std::deque<World> open_;
};

std::vector<Attributes> all_attributes() {
  std::vector<Attributes> all;
  for (unsigned bits = 0; bits < 128; ++bits) {
    Attributes one;
    one.tolerance_limit = bits & 1;
    one.restart_limit = bits >> 1 & 1;
    one.online_retry_limit = bits >> 2 & 1;
    one.online_wait_limit = bits >> 3 & 1;
    one.offline_wait_limit = bits >> 4 & 1;
    one.fault_on_monitor_timeouts = bits >> 5 & 1;
    one.offline_monitor_interval = bits >> 6 & 1 ? 60s : 0s;
    all.push_back(one);
  }
  return all;
}

Seen explore() {
  Seen seen;
  for (const Attributes& attributes : all_attributes()) {
    Explorer(attributes, seen).run();
  }
  return seen;
}

// Whatever can happen has happened in each state.
void expect_all_tried(const Seen& seen) {
  for (int state = 0; state <= static_cast<int>(State::going_offline_wait); ++state) {
    for (const Input& input : at_any_time()) {
      EXPECT_TRUE(
          seen.inputs.count({static_cast<State>(state), input.kind, input.command, input.failure}))
          << name_of(input) << " in " << name_of(static_cast<State>(state));
    }
  }
  std::size_t ends = 0;
  for (const auto& [state, task] : kTasks) {
    for (const Ended how : kEnds) {
      if (how == Ended::unknown && task != Task::monitor) continue;
      EXPECT_TRUE(seen.ends.count({state, task, how}))
          << name_of(task) << " in " << name_of(state) << ", " << name_of(how);
      ++ends;
    }
  }
  EXPECT_EQ(seen.ends.size(), ends) << "something runs where it should not";
}

TEST(MachineModel, WhatMustHoldHoldsInEveryStateThatCanBeReached) {
  const Seen seen = explore();
  for (const Row& row : rows()) {
    EXPECT_TRUE(seen.rows.count({row.from, row.event})) << row.name << " is never taken";
  }
  RecordProperty("states", static_cast<int>(seen.states));
  EXPECT_GT(seen.states, 5'000u) << "an exploration that stopped early shows nothing";
  expect_all_tried(seen);
}

}  // namespace
}  // namespace genapp::agent
