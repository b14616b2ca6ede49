// A resource's life, rule by rule (seed 003, "Agent State Change"; the attributes' meaning is in
// agent/attributes.hpp).

#include "agent/machine.hpp"

#include <gtest/gtest.h>

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using Clock = common::Clock;

class MachineTest : public testing::Test {
 protected:
  // Enabled, opened, and seen as it is.
  Machine offline(const Attributes& attributes = {}) { return probed(attributes, Ended::failed); }
  Machine online(const Attributes& attributes = {}) { return probed(attributes, Ended::done); }
  // Started, and seen online.
  Machine started(const Attributes& attributes) {
    Machine machine = offline(attributes);
    machine.command(Command::online, now);
    machine.ended(Task::start, Ended::done, now);
    machine.ended(Task::monitor, Ended::done, now);
    return machine;
  }
  // The next monitor is due, runs, and ends so.
  Step monitored(Machine& machine, Ended how) {
    if (!machine.running()) {
      EXPECT_TRUE(machine.due());
      now = machine.due().value_or(now);
      EXPECT_EQ(machine.tick(now).run->task, Task::monitor);
    }
    return end(machine, Task::monitor, how);
  }
  // The last step that follows.
  Step end(Machine& machine, Task task, Ended how) {
    const auto steps = machine.ended(task, how, now);
    return steps.empty() ? Step{} : steps.back();
  }

  Clock::time_point now{};

 private:
  Machine probed(const Attributes& attributes, Ended how) {
    Machine machine(attributes);
    machine.command(Command::enable, now);
    machine.ended(Task::open, Ended::done, now);
    machine.ended(Task::monitor, how, now);
    return machine;
  }
};

void expect_run(const Step& step, Task task, Attributes::Duration limit) {
  ASSERT_TRUE(step.run);
  EXPECT_EQ(step.run->task, task);
  EXPECT_EQ(step.run->limit, limit);
}

TEST_F(MachineTest, BeginsDetachedWhereNothingIsTakenButAnEnable) {
  Machine machine({});
  for (const Command command : {Command::online, Command::offline, Command::disable}) {
    EXPECT_TRUE(machine.command(command, now).refused);
  }
  EXPECT_EQ(machine.state(), State::detached);
  EXPECT_FALSE(machine.due());
  expect_run(machine.command(Command::enable, now), Task::open, 10s);
  EXPECT_EQ(machine.state(), State::opening);
}

TEST_F(MachineTest, OpensProbesAndTakesTheStateThatTheFirstMonitorTells) {
  Machine machine({});
  machine.command(Command::enable, now);
  expect_run(end(machine, Task::open, Ended::done), Task::monitor, 10s);
  EXPECT_EQ(machine.state(), State::probing);
  machine.ended(Task::monitor, Ended::done, now);
  EXPECT_EQ(machine.state(), State::online);
  EXPECT_EQ(machine.due(), now + 10s);
  EXPECT_EQ(offline().state(), State::offline);
  EXPECT_EQ(offline().due(), now + 60s);
}

TEST_F(MachineTest, WhatCanNotBeOpenedIsFaultedAndDetached) {
  Machine machine({});
  machine.command(Command::enable, now);
  machine.ended(Task::open, Ended::failed, now);
  EXPECT_EQ(machine.state(), State::detached);
  EXPECT_TRUE(machine.faulted());
}

TEST_F(MachineTest, ProbesOnWhileTheMonitorCanNotTell) {
  Machine machine({});
  machine.command(Command::enable, now);
  machine.ended(Task::open, Ended::done, now);
  for (const Ended how : {Ended::unknown, Ended::timed_out, Ended::timed_out}) {
    monitored(machine, how);
    EXPECT_EQ(machine.state(), State::probing);
  }
  EXPECT_TRUE(machine.command(Command::online, now).refused);
  monitored(machine, Ended::failed);
  EXPECT_EQ(machine.state(), State::offline);
}

TEST_F(MachineTest, GoesOnlineByItsCommandAndAMonitorAtOnce) {
  Machine machine = offline();
  expect_run(machine.command(Command::online, now), Task::start, 300s);
  EXPECT_EQ(machine.state(), State::going_online);
  expect_run(end(machine, Task::start, Ended::done), Task::monitor, 10s);
  EXPECT_EQ(machine.state(), State::going_online_wait);
  machine.ended(Task::monitor, Ended::done, now);
  EXPECT_EQ(machine.state(), State::online);
}

TEST_F(MachineTest, WaitsForItToComeOnlineAsOftenAsOnlineWaitLimitSays) {
  Machine machine = offline();
  machine.command(Command::online, now);
  machine.ended(Task::start, Ended::done, now);
  for (int wait = 0; wait < 2; ++wait) {
    EXPECT_FALSE(monitored(machine, Ended::failed).run);
    EXPECT_EQ(machine.state(), State::going_online_wait);
    EXPECT_EQ(machine.due(), now + 60s) << "OfflineMonitorInterval";
  }
  expect_run(monitored(machine, Ended::failed), Task::clean, 60s);
  EXPECT_EQ(machine.state(), State::going_offline);
  EXPECT_TRUE(machine.faulted());
  machine.ended(Task::clean, Ended::done, now);
  machine.ended(Task::monitor, Ended::failed, now);
  EXPECT_EQ(machine.state(), State::offline);
  EXPECT_TRUE(machine.faulted());
}

TEST_F(MachineTest, AStartThatFailedIsCleanedAndTriedAgainAsOftenAsOnlineRetryLimitSays) {
  Attributes attributes;
  attributes.online_retry_limit = 2;
  Machine machine = offline(attributes);
  machine.command(Command::online, now);
  for (const Ended how : {Ended::failed, Ended::timed_out}) {
    expect_run(end(machine, Task::start, how), Task::clean, 60s);
    EXPECT_FALSE(machine.faulted());
    expect_run(end(machine, Task::clean, Ended::done), Task::start, 300s);
  }
  expect_run(end(machine, Task::start, Ended::failed), Task::clean, 60s);
  EXPECT_TRUE(machine.faulted());
}

TEST_F(MachineTest, WhatCanNotBeCleanedIsNotStartedOverButLookedAt) {
  Attributes attributes;
  attributes.online_retry_limit = 1;
  Machine machine = offline(attributes);
  machine.command(Command::online, now);
  machine.ended(Task::start, Ended::failed, now);
  EXPECT_FALSE(end(machine, Task::clean, Ended::timed_out).run);
  EXPECT_EQ(machine.state(), State::probing);
  EXPECT_TRUE(machine.faulted());
  EXPECT_TRUE(machine.due());
}

TEST_F(MachineTest, AFaultKeepsItFromBeingStartedUntilItIsCleared) {
  Machine machine = online();
  monitored(machine, Ended::failed);
  machine.ended(Task::clean, Ended::done, now);
  machine.ended(Task::monitor, Ended::failed, now);
  EXPECT_EQ(machine.state(), State::offline);
  EXPECT_TRUE(machine.faulted());
  EXPECT_TRUE(machine.command(Command::online, now).refused);
  EXPECT_FALSE(machine.command(Command::clear, now).refused);
  EXPECT_FALSE(machine.faulted());
  expect_run(machine.command(Command::online, now), Task::start, 300s);
}

TEST_F(MachineTest, GoesOfflineByItsCommandAndAMonitorAtOnce) {
  Machine machine = online();
  expect_run(machine.command(Command::offline, now), Task::stop, 300s);
  EXPECT_EQ(machine.state(), State::going_offline);
  expect_run(end(machine, Task::stop, Ended::done), Task::monitor, 10s);
  EXPECT_EQ(machine.state(), State::going_offline_wait);
  machine.ended(Task::monitor, Ended::failed, now);
  EXPECT_EQ(machine.state(), State::offline);
  EXPECT_FALSE(machine.faulted());
}

TEST_F(MachineTest, AStopThatTookTooLongIsCancelledAndItCountsAsOnline) {
  Machine machine = online();
  machine.command(Command::offline, now);
  const Step step = end(machine, Task::stop, Ended::timed_out);
  EXPECT_EQ(machine.state(), State::online);
  EXPECT_EQ(step.row->action, Action::report_not_stopped);
  EXPECT_TRUE(machine.due());
}

TEST_F(MachineTest, WhatStaysOnlineAfterAStopIsCleanedOnceAndThenReported) {
  Attributes attributes;
  attributes.offline_wait_limit = 1;
  Machine machine = online(attributes);
  machine.command(Command::offline, now);
  machine.ended(Task::stop, Ended::failed, now);
  monitored(machine, Ended::done);
  EXPECT_EQ(machine.state(), State::going_offline_wait);
  expect_run(monitored(machine, Ended::done), Task::clean, 60s);
  machine.ended(Task::clean, Ended::failed, now);
  monitored(machine, Ended::done);
  const Step step = monitored(machine, Ended::done);
  EXPECT_EQ(machine.state(), State::probing);
  EXPECT_EQ(step.row->action, Action::report_not_stopped);
}

TEST_F(MachineTest, OfflineWithoutACommandIsToleratedThenRestartedThenAFault) {
  Attributes attributes;
  attributes.tolerance_limit = 1;
  attributes.restart_limit = 1;
  Machine machine = started(attributes);
  EXPECT_FALSE(monitored(machine, Ended::failed).run);
  EXPECT_EQ(machine.state(), State::online);
  expect_run(monitored(machine, Ended::failed), Task::clean, 60s);
  EXPECT_EQ(machine.state(), State::going_online);
  expect_run(end(machine, Task::clean, Ended::done), Task::start, 300s);
  machine.ended(Task::start, Ended::done, now);
  machine.ended(Task::monitor, Ended::done, now);
  EXPECT_EQ(machine.state(), State::online);
  // What fails may run nevertheless: it is taken out, and seen to be.
  expect_run(monitored(machine, Ended::failed), Task::clean, 60s);
  EXPECT_EQ(machine.state(), State::going_offline);
  EXPECT_TRUE(machine.faulted());
  machine.ended(Task::clean, Ended::done, now);
  machine.ended(Task::monitor, Ended::failed, now);
  EXPECT_EQ(machine.state(), State::offline);
}

TEST_F(MachineTest, SoLongOnlineWipesTheCountsAway) {
  Attributes attributes;
  attributes.restart_limit = 1;
  attributes.online_trust_time = 600s;
  Machine machine = started(attributes);
  monitored(machine, Ended::failed);
  machine.ended(Task::clean, Ended::done, now);
  machine.ended(Task::start, Ended::done, now);
  machine.ended(Task::monitor, Ended::done, now);
  ASSERT_EQ(machine.counts().restarts, 1u);
  now += 590s;
  EXPECT_EQ(machine.counts().restarts, 1u);
  machine.tick(now);
  machine.ended(Task::monitor, Ended::done, now);
  EXPECT_EQ(machine.counts().restarts, 1u);
  monitored(machine, Ended::done);
  EXPECT_EQ(machine.counts().restarts, 0u);
}

TEST_F(MachineTest, MonitorsThatTimeOutInARowAreAFaultAfterFour) {
  Machine machine = online();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(monitored(machine, Ended::timed_out).run);
  EXPECT_FALSE(monitored(machine, Ended::unknown).run) << "not in a row any more";
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(monitored(machine, Ended::timed_out).run);
  EXPECT_EQ(machine.state(), State::online);
  expect_run(monitored(machine, Ended::timed_out), Task::clean, 60s);
  EXPECT_EQ(machine.state(), State::going_offline);
  EXPECT_TRUE(machine.faulted());
}

TEST_F(MachineTest, MonitorsThatTimeOutAreNeverAFaultWithZero) {
  Attributes attributes;
  attributes.fault_on_monitor_timeouts = 0;
  Machine machine = online(attributes);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(monitored(machine, Ended::timed_out).run);
  EXPECT_EQ(machine.state(), State::online);
}

TEST_F(MachineTest, WhatHangsIsRestartedWithinRestartLimit) {
  Attributes attributes;
  attributes.fault_on_monitor_timeouts = 1;
  attributes.restart_limit = 1;
  Machine machine = online(attributes);
  expect_run(monitored(machine, Ended::timed_out), Task::clean, 60s);
  EXPECT_EQ(machine.state(), State::going_online);
  EXPECT_FALSE(machine.faulted());
}

TEST_F(MachineTest, OnAStandbyWhatIsOnlineWithoutACommandIsTakenOffline) {
  Machine machine = offline();
  machine.set_wanted(false);
  const Step step = monitored(machine, Ended::done);
  expect_run(step, Task::stop, 300s);
  EXPECT_EQ(machine.state(), State::going_offline);
  EXPECT_FALSE(machine.faulted());
}

TEST_F(MachineTest, WhereItIsWantedItMayComeOnlineByItself) {
  Machine machine = offline();
  monitored(machine, Ended::done);
  EXPECT_EQ(machine.state(), State::online);
}

TEST_F(MachineTest, NobodyLooksWhileItIsOfflineWithAnIntervalOfZeroButAStartIsWaitedFor) {
  Attributes attributes;
  attributes.offline_monitor_interval = 0s;
  Machine machine = offline(attributes);
  EXPECT_FALSE(machine.due());
  machine.command(Command::online, now);
  machine.ended(Task::start, Ended::done, now);
  machine.ended(Task::monitor, Ended::failed, now);
  EXPECT_EQ(machine.due(), now + 10s);
}

TEST_F(MachineTest, ACommandWaitsForWhatRunsAndTheLatestCounts) {
  Machine machine = offline();
  machine.command(Command::online, now);
  EXPECT_TRUE(machine.command(Command::offline, now).waits);
  EXPECT_TRUE(machine.command(Command::disable, now).waits);
  EXPECT_TRUE(machine.command(Command::offline, now).waits);
  machine.ended(Task::start, Ended::done, now);
  EXPECT_EQ(machine.state(), State::going_online_wait);
  expect_run(end(machine, Task::monitor, Ended::done), Task::stop, 300s);
  EXPECT_EQ(machine.state(), State::going_offline);
  EXPECT_FALSE(machine.waiting());
}

// Else what comes to light while a command waits would be told to nobody.
TEST_F(MachineTest, WhatEndedAndTheCommandThatWaitedAreStepsOfTheirOwn) {
  Attributes attributes;
  attributes.tolerance_limit = 1;
  Machine machine = online(attributes);
  now = *machine.due();
  machine.tick(now);
  EXPECT_TRUE(machine.command(Command::online, now).waits);
  const auto steps = machine.ended(Task::monitor, Ended::failed, now);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].row->event, Event::offline_tolerated);
  EXPECT_EQ(steps[1].row->event, Event::command_online);
}

TEST_F(MachineTest, DisabledItIsNeitherWatchedNorCommanded) {
  Machine machine = online();
  machine.command(Command::disable, now);
  EXPECT_EQ(machine.state(), State::detached);
  EXPECT_FALSE(machine.due());
  EXPECT_FALSE(machine.tick(now + 1h).run);
  EXPECT_TRUE(machine.command(Command::offline, now).refused);
}

TEST_F(MachineTest, TheEndOfWhatDoesNotRunIsPassedOver) {
  Machine machine = online();
  EXPECT_FALSE(end(machine, Task::stop, Ended::done).row);
  EXPECT_FALSE(end(machine, Task::monitor, Ended::failed).row);
  EXPECT_EQ(machine.state(), State::online);
}

TEST_F(MachineTest, NoMonitorIsStartedBeforeItIsDueOrBesideAnother) {
  Machine machine = online();
  EXPECT_FALSE(machine.tick(now + 9s).run);
  EXPECT_TRUE(machine.tick(now + 10s).run);
  EXPECT_FALSE(machine.tick(now + 20s).run);
  EXPECT_FALSE(machine.due());
}

TEST_F(MachineTest, AMonitorBesideThatFailsRestartsItAfterACleanAndDropsTheMonitorThatRuns) {
  Machine machine = online();
  now = *machine.due();
  machine.tick(now);
  const Step step = machine.failed(Machine::Failure::restart, now);
  EXPECT_TRUE(step.dropped);
  expect_run(step, Task::clean, 60s);
  EXPECT_EQ(machine.state(), State::going_online);
  EXPECT_TRUE(machine.ended(Task::monitor, Ended::done, now).empty());
  expect_run(end(machine, Task::clean, Ended::done), Task::start, 300s);
  EXPECT_EQ(machine.counts().restarts, 0u) << "it has a count of its own";
}

TEST_F(MachineTest, AMonitorBesideThatFallsOverFaultsIt) {
  Machine machine = online();
  const Step step = machine.failed(Machine::Failure::fallover, now);
  EXPECT_FALSE(step.dropped);
  expect_run(step, Task::clean, 60s);
  EXPECT_EQ(machine.state(), State::going_offline);
  EXPECT_TRUE(machine.faulted());
}

TEST_F(MachineTest, WhatIsFaultedAndOnlineNeverthelessIsNotRestarted) {
  Attributes attributes;
  attributes.restart_limit = 5;
  attributes.fault_on_monitor_timeouts = 1;
  for (const Ended how : {Ended::failed, Ended::timed_out}) {
    Machine machine = online(attributes);
    machine.remember(true, 0, 0);
    monitored(machine, how);
    EXPECT_NE(machine.state(), State::going_online);
    EXPECT_TRUE(machine.faulted());
  }
  Machine machine = online(attributes);
  machine.remember(true, 0, 0);
  machine.failed(Machine::Failure::restart, now);
  EXPECT_EQ(machine.state(), State::going_offline);
}

TEST_F(MachineTest, AMonitorBesideSaysNothingWhereItIsNotOnline) {
  Machine machine = offline();
  EXPECT_FALSE(machine.failed(Machine::Failure::restart, now).row);
  machine.command(Command::online, now);
  EXPECT_FALSE(machine.failed(Machine::Failure::fallover, now).row);
  EXPECT_EQ(machine.running(), Task::start);
  EXPECT_FALSE(machine.faulted());
}

TEST_F(MachineTest, AMonitorBesideThatFailsWhileAnOfflineWaitsHastensIt) {
  Machine machine = online();
  now = *machine.due();
  machine.tick(now);
  machine.command(Command::offline, now);
  const Step step = machine.failed(Machine::Failure::restart, now);
  EXPECT_TRUE(step.dropped);
  expect_run(step, Task::stop, 300s);
  EXPECT_FALSE(machine.waiting());
}

TEST_F(MachineTest, TheFirstMonitorOfAStateComesAfterItsPhaseAndTheOthersAfterTheInterval) {
  Machine machine({}, 0.25);
  machine.command(Command::enable, now);
  machine.ended(Task::open, Ended::done, now);
  machine.ended(Task::monitor, Ended::done, now);
  EXPECT_EQ(machine.due(), now + 2500ms);
  monitored(machine, Ended::done);
  EXPECT_EQ(machine.due(), now + 10s);
}

TEST_F(MachineTest, GoesOnWithWhatAnEarlierAgentHasBegun) {
  Machine machine({});
  machine.remember(true, 1, 2);
  expect_run(machine.adopt(State::going_offline, Task::clean, now), Task::clean, 60s);
  EXPECT_EQ(machine.state(), State::going_offline);
  EXPECT_TRUE(machine.faulted());
  EXPECT_EQ(machine.counts().restarts, 1u);
  EXPECT_EQ(machine.counts().tolerated, 2u);
  expect_run(end(machine, Task::clean, Ended::done), Task::monitor, 10s);
  EXPECT_EQ(machine.state(), State::going_offline_wait);
}

TEST_F(MachineTest, AFaultIsClearedWhileItIsDetachedToo) {
  Machine machine({});
  machine.command(Command::enable, now);
  machine.ended(Task::open, Ended::failed, now);
  EXPECT_FALSE(machine.command(Command::clear, now).refused);
  EXPECT_FALSE(machine.faulted());
  EXPECT_EQ(machine.state(), State::detached);
}

}  // namespace
}  // namespace genapp::agent
