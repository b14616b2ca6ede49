// Every state that a resource can come to under the agent, by whatever commands, ends of tasks and
// monitors' verdicts, with the limits at 0 and 1: what must hold in each.

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "agent/machine.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using Clock = common::Clock;

// Two machines with this in common go on alike; what time it is does not matter.
using Key = std::tuple<State, bool, std::optional<Task>, std::optional<Command>, bool, std::size_t,
                       std::size_t, std::size_t, std::size_t, std::size_t, bool, bool>;

// What the world does, and what is known of it: the model's own part of a state.
struct World {
  Machine machine;
  bool wanted = true;
  bool seen_offline = false;  // the last verdict was "offline", and nothing was started since
};

Key key_of(const World& world) {
  const Machine& m = world.machine;
  const auto& counts = m.counts();
  return {m.state(),        m.faulted(),         m.running(),
          m.waiting(),      m.due().has_value(), counts.monitor_timeouts,
          counts.tolerated, counts.restarts,     counts.retries,
          counts.waits,     world.wanted,        world.seen_offline};
}

struct Input {
  std::string name;
  std::function<std::vector<Step>(World&)> apply;
};

constexpr Clock::time_point kNow{};

const std::map<Task, std::vector<Ended>> kEnds{
    {Task::open, {Ended::done, Ended::failed, Ended::timed_out}},
    {Task::monitor, {Ended::done, Ended::failed, Ended::unknown, Ended::timed_out}},
    {Task::start, {Ended::done, Ended::failed, Ended::timed_out}},
    {Task::stop, {Ended::done, Ended::failed, Ended::timed_out}},
    {Task::clean, {Ended::done, Ended::failed, Ended::timed_out}}};

std::vector<Input> inputs_of(const World& world) {
  std::vector<Input> inputs;
  for (const Command command :
       {Command::enable, Command::disable, Command::online, Command::offline, Command::clear}) {
    inputs.push_back({"command " + std::to_string(static_cast<int>(command)), [command](World& to) {
                        return std::vector{to.machine.command(command, kNow)};
                      }});
  }
  inputs.push_back({"tick", [](World& to) {
                      return std::vector{to.machine.tick(to.machine.due().value_or(kNow))};
                    }});
  inputs.push_back({"wanted elsewhere", [](World& to) {
                      to.wanted = !to.wanted;
                      to.machine.set_wanted(to.wanted);
                      return std::vector<Step>{};
                    }});
  for (const auto failure : {Machine::Failure::restart, Machine::Failure::fallover}) {
    inputs.push_back({"a monitor beside failed", [failure](World& to) {
                        return std::vector{to.machine.failed(failure, kNow)};
                      }});
  }
  if (const auto running = world.machine.running()) {
    for (const Ended how : kEnds.at(*running)) {
      for (const auto after : {0s, 601s}) {
        inputs.push_back({"ended " + std::to_string(static_cast<int>(how)),
                          [task = *running, how, after](World& to) {
                            if (task == Task::monitor) to.seen_offline = how == Ended::failed;
                            return to.machine.ended(task, how, kNow + after);
                          }});
      }
    }
  }
  return inputs;
}

class Explorer {
 public:
  explicit Explorer(const Attributes& attributes) : attributes_(attributes) {}

  void run() {
    visit({Machine(attributes_)}, "the beginning");
    while (!open_.empty()) {
      const World world = std::move(open_.front());
      open_.pop_front();
      for (const Input& input : inputs_of(world)) {
        World next = world;
        const auto steps = input.apply(next);
        for (const Step& step : steps) {
          if (step.run && step.run->task == Task::start) next.seen_offline = false;
          if (step.row) rows.insert(std::string(step.row->name));
        }
        check_steps(world, next, steps, input.name);
        visit(std::move(next), input.name);
      }
    }
  }

  std::size_t states() const { return known_.size(); }
  std::set<std::string> rows;

 private:
  void visit(World world, const std::string& by) {
    if (!known_.insert(key_of(world)).second) return;
    check_state(world, by);
    open_.push_back(std::move(world));
  }

  void check_state(const World& world, const std::string& by) const {
    const Machine& m = world.machine;
    const std::string where = std::string(name_of(m.state())) + " after " + by;
    if (m.state() == State::detached) {
      EXPECT_FALSE(m.running()) << where << ": Detached never acts";
      EXPECT_FALSE(m.due()) << where;
    }
    if (is_unstable(m.state())) {
      EXPECT_TRUE(m.running() || m.due()) << where << ": nothing would ever end it";
    }
    if (m.state() == State::online) {
      EXPECT_TRUE(m.running() || m.due()) << where;
    }
    if (m.state() == State::offline && !m.running()) {
      const bool looks = attributes_.offline_monitor_interval > 0s;
      EXPECT_EQ(m.due().has_value(), looks) << where;
    }
    const auto& counts = m.counts();
    EXPECT_LE(counts.restarts, attributes_.restart_limit) << where;
    EXPECT_LE(counts.tolerated, attributes_.tolerance_limit) << where;
    EXPECT_LE(counts.retries, attributes_.online_retry_limit) << where;
  }

  void check_steps(const World& before, const World& after, const std::vector<Step>& steps,
                   const std::string& by) const {
    const Machine& was = before.machine;
    const Machine& is = after.machine;
    const std::string what =
        std::string(name_of(was.state())) + ", " + by + ", " + std::string(name_of(is.state()));
    bool cleared = false;
    bool dropped = false;
    std::size_t started = 0;
    for (const Step& step : steps) {
      cleared = cleared || (step.row && step.row->action == Action::clear_fault);
      if (step.run) check_run(before, step, by, what);
      dropped = dropped || step.dropped;
      started += step.run ? 1 : 0;
      EXPECT_FALSE(step.refused && step.row) << what;
    }
    EXPECT_LE(started, 1u) << what << ": two tasks at once";
    if (started == 1) {
      EXPECT_EQ(is.running(), steps.back().run->task) << what;
    }
    if (dropped) {
      EXPECT_EQ(was.running(), Task::monitor) << what << ": only a monitor may be dropped";
    } else if (was.running() && !by.starts_with("ended")) {
      EXPECT_EQ(is.running(), was.running()) << what << ": forgotten while it runs";
    }
    EXPECT_TRUE(!was.faulted() || is.faulted() || cleared) << what << ": a fault is lost";
    if (was.state() != State::offline && is.state() == State::offline) {
      EXPECT_TRUE(after.seen_offline) << what << ": believed offline and not seen so";
    }
  }

  static void check_run(const World& before, const Step& step, const std::string& by,
                        const std::string& what) {
    EXPECT_GT(step.run->limit, 0s) << what << ": without a limit it may never end";
    EXPECT_FALSE(before.machine.running() && !step.dropped && !by.starts_with("ended"))
        << what << ": two tasks at once";
    const bool start = step.run->task == Task::start;
    EXPECT_FALSE(start && before.machine.faulted() && by.starts_with("command"))
        << what << ": started despite a fault";
  }

  Attributes attributes_;
  std::set<Key> known_;
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

TEST(MachineModel, WhatMustHoldHoldsInEveryStateThatCanBeReached) {
  std::set<std::string> rows_taken;
  std::size_t states = 0;
  for (const Attributes& attributes : all_attributes()) {
    Explorer explorer(attributes);
    explorer.run();
    states += explorer.states();
    rows_taken.merge(explorer.rows);
  }
  for (const Row& row : rows()) {
    EXPECT_TRUE(rows_taken.count(std::string(row.name))) << row.name << " is never taken";
  }
  RecordProperty("states", static_cast<int>(states));
  EXPECT_GT(states, 5'000u) << "an exploration that stopped early shows nothing";
}

}  // namespace
}  // namespace genapp::agent
