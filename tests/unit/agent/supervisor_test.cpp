// Groups, dependencies, monitors and commands: what the agent does about several resources, and
// what it keeps for the agent after it.

#include "agent/supervisor.hpp"

#include "tests/unit/agent/testing.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// ---- one resource

TEST_F(SupervisorTest, FindsOutHowAResourceIsAndStartsNothingByItself) {
  manage({resource("web"), resource("db")}, {"db"});
  EXPECT_EQ(state("web"), State::offline);
  EXPECT_EQ(state("db"), State::online);
  EXPECT_THAT(effects.log, IsEmpty());
}

TEST_F(SupervisorTest, StartsAndStopsByCommand) {
  manage({resource("web")});
  EXPECT_TRUE(ask(Request::online, "web").accepted);
  EXPECT_EQ(view("web").goal, Goal::online);
  EXPECT_EQ(state("web"), State::going_online);
  let_go_well();
  EXPECT_EQ(state("web"), State::online);
  EXPECT_FALSE(view("web").goal);
  EXPECT_TRUE(ask(Request::offline, "web").accepted);
  let_go_well();
  EXPECT_EQ(state("web"), State::offline);
  EXPECT_FALSE(view("web").goal);
  EXPECT_THAT(effects.log, ElementsAre("start web", "stop web"));
}

TEST_F(SupervisorTest, ADisabledResourceIsNeitherWatchedNorCommanded) {
  ResourceConfig web = resource("web");
  web.enabled = false;
  manage({web});
  EXPECT_EQ(state("web"), State::detached);
  EXPECT_THAT(ask(Request::online, "web").text, HasSubstr("not enabled"));
  EXPECT_THAT(ask(Request::offline, "web").text, HasSubstr("not enabled"));
  pass(1h);
  EXPECT_THAT(effects.running, IsEmpty());
  EXPECT_TRUE(ask(Request::enable, "web").accepted);
  end("web", Task::open, Ended::done);
  end("web", Task::monitor, Ended::failed);
  EXPECT_EQ(state("web"), State::offline);
  EXPECT_TRUE(ask(Request::disable, "web").accepted);
  EXPECT_EQ(state("web"), State::detached);
}

TEST_F(SupervisorTest, WhatIsNotKnownIsRefused) {
  manage({resource("web")});
  EXPECT_THAT(ask(Request::online, "wbe").text, HasSubstr("\"wbe\""));
  EXPECT_FALSE(supervisor.request_group(Request::online, "nobody", now).accepted);
}

TEST_F(SupervisorTest, StartsByItselfWhenItIsFirstSeenAndNotAgainAfterAnOffline) {
  ResourceConfig web = resource("web");
  web.auto_start = true;
  manage({web});
  let_go_well();
  EXPECT_EQ(state("web"), State::online);
  ask(Request::offline, "web");
  let_go_well();
  kept_before = effects.kept;
  FakeEffects later;
  Supervisor second(later);
  second.set_resources({{web, kept_before.at("web")}}, {}, now);
  later.running.clear();
  second.ended("web", Task::open, Ended::done, "", now);
  later.running.clear();
  second.ended("web", Task::monitor, Ended::failed, "", now);
  EXPECT_THAT(later.log, IsEmpty()) << "a new agent brings nothing back that was taken out";
}

TEST_F(SupervisorTest, AnAgentThatDiesBeforeItKnowsLeavesTheStartToTheNext) {
  ResourceConfig web = resource("web");
  web.auto_start = true;
  set({web});
  end("web", Task::open, Ended::done);
  EXPECT_FALSE(effects.kept.count("web"));
}

TEST_F(SupervisorTest, IsNotStartedByItselfWhenTheFileHasThoughtBetterOfIt) {
  ResourceConfig web = resource("web");
  web.auto_start = true;
  set({web});
  web.auto_start = false;
  set({web});
  let_go_well();
  pass(1min);
  EXPECT_THAT(effects.log, IsEmpty());
}

TEST_F(SupervisorTest, TheLatestCommandAloneCounts) {
  manage({resource("web")}, {"web"});
  now = *supervisor.due();
  supervisor.tick(now);  // a monitor runs, which commands wait for
  ask(Request::offline, "web");
  ask(Request::online, "web");
  end("web", Task::monitor, Ended::done);
  EXPECT_EQ(state("web"), State::online);
  EXPECT_THAT(effects.log, IsEmpty());
  EXPECT_FALSE(view("web").goal);
}

TEST_F(SupervisorTest, AStopThatComesDuringAStartFollowsIt) {
  manage({resource("web")});
  ask(Request::online, "web");
  ask(Request::offline, "web");
  let_go_well();
  EXPECT_THAT(effects.log, ElementsAre("start web", "stop web"));
  EXPECT_EQ(state("web"), State::offline);
}

TEST_F(SupervisorTest, AStopThatIsCancelledIsToldAndEndsTheGoal) {
  manage({resource("web")}, {"web"});
  ask(Request::offline, "web");
  end("web", Task::stop, Ended::timed_out, "it took longer than 300 s");
  EXPECT_EQ(state("web"), State::online);
  EXPECT_FALSE(view("web").goal);
  EXPECT_TRUE(told("web", "it is not stopped")) << all_told();
}

TEST_F(SupervisorTest, AStopOfWhatIsToBeDisabledIsNotClaimedToBeDone) {
  manage({resource("web")}, {"web"});
  supervisor.tick(now = *supervisor.due());  // a monitor runs, which the disable waits for
  ask(Request::disable, "web");
  ask(Request::offline, "web");
  end("web", Task::monitor, Ended::done);
  EXPECT_EQ(state("web"), State::detached);
  EXPECT_FALSE(view("web").goal);
  EXPECT_TRUE(told("web", "it is not stopped")) << all_told();
}

TEST_F(SupervisorTest, WhatIsToBeDisabledIsNotRestartedBefore) {
  ResourceConfig web = resource("web");
  web.attributes.restart_limit = 1;
  manage({web}, {"web"});
  supervisor.tick(now = *supervisor.due());
  ask(Request::disable, "web");
  end("web", Task::monitor, Ended::failed);
  EXPECT_EQ(state("web"), State::detached);
  EXPECT_THAT(effects.log, IsEmpty());
}

TEST_F(SupervisorTest, WhatCouldNotBeOpenedCanBeDisabled) {
  set({resource("web")});
  end("web", Task::open, Ended::failed, "no such resource");
  ASSERT_EQ(state("web"), State::detached);
  EXPECT_TRUE(ask(Request::disable, "web").accepted);
  EXPECT_FALSE(effects.kept.at("web").enabled) << "the next agent would enable it";
}

TEST_F(SupervisorTest, WhatDiesOnItsWayDownIsNoFault) {
  ResourceConfig db = resource("db");
  db.on_fallover = {"/bin/move"};
  db.attributes.restart_limit = 1;
  manage({resource("web", {"db"}), db}, {"web", "db"});
  supervisor.tick(now = now + 10s);
  end("web", Task::monitor, Ended::done);
  ask(Request::offline, "db");  // which waits for web
  end("db", Task::monitor, Ended::failed, "gone");
  let_go_well();
  EXPECT_EQ(state("db"), State::offline);
  EXPECT_THAT(effects.log, ElementsAre("stop web", "stop db"));
  EXPECT_FALSE(view("db").faulted);
  EXPECT_THAT(effects.methods, IsEmpty());
}

TEST_F(SupervisorTest, WhatHangsOnItsWayDownIsStoppedAllTheSame) {
  ResourceConfig db = resource("db");
  db.attributes.fault_on_monitor_timeouts = 1;
  manage({resource("web", {"db"}), db}, {"web", "db"});
  supervisor.tick(now = now + 10s);
  end("web", Task::monitor, Ended::done);
  ask(Request::offline, "db");
  end("db", Task::monitor, Ended::timed_out);
  EXPECT_THAT(effects.log, ElementsAre("stop web"));
  let_go_well();
  EXPECT_THAT(effects.log, ElementsAre("stop web", "stop db"));
  EXPECT_FALSE(view("db").faulted);
}

// ---- faults

TEST_F(SupervisorTest, AFaultKeepsItFromBeingStartedUntilItIsCleared) {
  manage({resource("web")});
  ask(Request::online, "web");
  end("web", Task::start, Ended::failed, "exit 7: no configuration");
  let_go_well();  // the clean
  EXPECT_EQ(state("web"), State::offline);
  EXPECT_TRUE(view("web").faulted);
  EXPECT_THAT(view("web").fault, HasSubstr("exit 7: no configuration"));
  EXPECT_THAT(ask(Request::online, "web").text, HasSubstr("genapp clear web"));
  EXPECT_TRUE(ask(Request::clear, "web").accepted);
  EXPECT_EQ(view("web").fault, "");
  EXPECT_TRUE(ask(Request::online, "web").accepted);
  let_go_well();
  EXPECT_EQ(state("web"), State::online);
}

TEST_F(SupervisorTest, RestartsAfterACleanOrByRecoverAsItIsSet) {
  ResourceConfig web = resource("web");
  web.attributes.restart_limit = 2;
  web.restart_by = RestartBy::recover;
  manage({web}, {"web"});
  supervisor.tick(now = *supervisor.due());
  end("web", Task::monitor, Ended::failed, "no answer");
  EXPECT_TRUE(effects.running.at("web").by_recover);
  end("web", Task::clean, Ended::done);
  EXPECT_TRUE(effects.running.at("web").by_recover);
  EXPECT_TRUE(effects.kept.at("web").by_recover);
  let_go_well();
  EXPECT_EQ(state("web"), State::online);
  ask(Request::offline, "web");
  let_go_well();
  ask(Request::online, "web");
  EXPECT_FALSE(effects.running.at("web").by_recover) << "a start by command is none";
}

TEST_F(SupervisorTest, ARecoverThatFailedIsFollowedByACleanAndAStart) {
  ResourceConfig web = resource("web");
  web.attributes.restart_limit = 1;
  web.attributes.online_retry_limit = 1;
  web.restart_by = RestartBy::recover;
  manage({web}, {"web"});
  supervisor.tick(now = *supervisor.due());
  end("web", Task::monitor, Ended::failed);
  end("web", Task::clean, Ended::done);
  end("web", Task::start, Ended::failed);
  EXPECT_FALSE(effects.running.at("web").by_recover);
  end("web", Task::clean, Ended::done);
  EXPECT_FALSE(effects.running.at("web").by_recover);
}

// ---- dependencies

TEST_F(SupervisorTest, StartsAfterWhatItDependsOnAndStopsBeforeIt) {
  manage({resource("page", {"web"}), resource("web", {"db", "disk"}), resource("db", {"disk"}),
          resource("disk")});
  ask(Request::online, "page");
  EXPECT_THAT(effects.log, ElementsAre("start disk"));
  let_go_well();
  EXPECT_THAT(effects.log, ElementsAre("start disk", "start db", "start web", "start page"));
  effects.log.clear();
  ask(Request::offline, "disk");
  let_go_well();
  EXPECT_THAT(effects.log, ElementsAre("stop page", "stop web", "stop db", "stop disk"));
}

TEST_F(SupervisorTest, DoesNotStartWhatDependsOnAFaultedOne) {
  manage({resource("web", {"db"}), resource("db")});
  ask(Request::online, "web");
  end("db", Task::start, Ended::failed, "exit 1");
  let_go_well();
  EXPECT_THAT(effects.log, ElementsAre("start db", "clean db"));
  EXPECT_FALSE(view("web").goal);
  EXPECT_TRUE(told("web", "it is not started")) << all_told();
  EXPECT_THAT(ask(Request::online, "web").text, HasSubstr("\"db\" is faulted"));
}

TEST_F(SupervisorTest, DoesNotStopWhatAnotherThatStaysNeeds) {
  manage({resource("web", {"db"}), resource("db")}, {"web", "db"});
  ask(Request::offline, "db");
  end("web", Task::stop, Ended::timed_out);
  EXPECT_EQ(state("db"), State::online);
  EXPECT_FALSE(view("db").goal);
  EXPECT_TRUE(told("db", "\"web\", which depends on it, is still online")) << all_told();
}

TEST_F(SupervisorTest, WhatDependsOnAFaultedOneIsTakenOffline) {
  manage({resource("web", {"db"}), resource("db"), resource("other")}, {"web", "db", "other"});
  supervisor.tick(now = now + 10s);
  end("db", Task::monitor, Ended::failed, "gone");
  EXPECT_TRUE(view("db").faulted);
  let_go_well();
  EXPECT_EQ(state("web"), State::offline);
  EXPECT_FALSE(view("web").faulted);
  EXPECT_EQ(state("other"), State::online);
}

// ---- groups

class GroupTest : public SupervisorTest {
 protected:
  ResourceConfig member(const std::string& tag, Strings depends_on = {}) {
    ResourceConfig config = resource(tag, std::move(depends_on));
    config.group = "shop";
    return config;
  }
};

TEST_F(GroupTest, AGroupIsStartedAndStoppedAsOne) {
  manage({member("web", {"db"}), member("db"), resource("other")});
  EXPECT_TRUE(supervisor.request_group(Request::online, "shop", now).accepted);
  let_go_well();
  EXPECT_THAT(effects.log, ElementsAre("start db", "start web"));
  EXPECT_TRUE(supervisor.request_group(Request::offline, "shop", now).accepted);
  let_go_well();
  EXPECT_EQ(state("db"), State::offline);
  EXPECT_EQ(state("web"), State::offline);
}

TEST_F(GroupTest, ACriticalOnesFaultTakesTheGroupDownThenTheCommandIsRun) {
  ResourceConfig web = member("web", {"db"});
  web.critical = true;
  groups["shop"].on_fallover = {"/usr/sbin/crm_resource", "--move"};
  manage({web, member("db"), member("mail")}, {"web", "db", "mail"});
  supervisor.tick(now = now + 10s);
  end("web", Task::monitor, Ended::failed, "no answer");
  EXPECT_TRUE(supervisor.view().groups.at(0).falling_over);
  EXPECT_THAT(effects.methods, IsEmpty()) << "not before all of it is offline";
  let_go_well();
  EXPECT_EQ(state("db"), State::offline);
  EXPECT_EQ(state("mail"), State::offline);
  ASSERT_EQ(effects.methods.size(), 1u);
  EXPECT_EQ(effects.methods[0].argv, Argv({"/usr/sbin/crm_resource", "--move"}));
  EXPECT_EQ(effects.methods[0].group, "shop");
  EXPECT_THAT(effects.methods[0].reason, HasSubstr("no answer"));
  EXPECT_FALSE(supervisor.view().groups.at(0).falling_over);
}

TEST_F(GroupTest, NothingIsMovedWhileAnythingOfItIsStillOnline) {
  ResourceConfig web = member("web");
  web.critical = true;
  groups["shop"].on_fallover = {"/bin/move"};
  manage({web, member("db")}, {"web", "db"});
  supervisor.tick(now = now + 10s);
  end("web", Task::monitor, Ended::failed);
  end("db", Task::monitor, Ended::done);
  end("db", Task::stop, Ended::timed_out);
  EXPECT_EQ(state("db"), State::online);
  EXPECT_THAT(effects.methods, IsEmpty());
  EXPECT_TRUE(effects.kept.at("web").giving_up);
  ask(Request::offline, "db");
  let_go_well();
  EXPECT_EQ(effects.methods.size(), 1u);
  EXPECT_FALSE(effects.kept.at("web").giving_up);
}

TEST_F(GroupTest, OneThatIsNotCriticalFaultsAlone) {
  ResourceConfig web = member("web");
  web.on_fallover = {"/bin/page-a-person"};
  manage({web, member("db")}, {"web", "db"});
  supervisor.tick(now = now + 10s);
  end("web", Task::monitor, Ended::failed);
  let_go_well();
  EXPECT_EQ(state("db"), State::online);
  ASSERT_EQ(effects.methods.size(), 1u);
  EXPECT_EQ(effects.methods[0].argv, Argv({"/bin/page-a-person"}));
}

TEST_F(GroupTest, WhatComesOnlineOnAStandbyIsTakenOffline) {
  groups["shop"].standby = true;
  manage({member("web")});
  pass(55s);
  supervisor.tick(now = *supervisor.due());
  end("web", Task::monitor, Ended::done);
  EXPECT_EQ(state("web"), State::going_offline);
  let_go_well();
  EXPECT_EQ(state("web"), State::offline);
  EXPECT_FALSE(view("web").faulted);
}

TEST_F(GroupTest, ACommandMakesTheNodeTheOneOfTheGroup) {
  groups["shop"].standby = true;
  manage({member("web"), member("db")});
  ask(Request::online, "web");
  let_go_well();
  pass(1min);
  EXPECT_EQ(state("web"), State::online);
  EXPECT_TRUE(view("db").wanted);
  EXPECT_FALSE(effects.kept.at("db").standby);
  supervisor.request_group(Request::offline, "shop", now);
  let_go_well();
  EXPECT_EQ(state("web"), State::offline);
  EXPECT_FALSE(view("web").wanted);
}

TEST_F(GroupTest, OnAStandbyTooWhatDependsOnItIsStoppedFirst) {
  groups["shop"].standby = true;
  manage({resource("page", {"db"}), member("db")}, {"page", "db"});
  for (int i = 0; i < 5 && state("db") != State::offline; ++i) {
    let_go_well();
    supervisor.tick(now = *supervisor.due());
  }
  EXPECT_THAT(effects.log, ElementsAre("stop page", "stop db"));
  EXPECT_TRUE(told("page", "since \"db\", on which it depends")) << all_told();
}

TEST_F(GroupTest, AGroupThatGoesToStandbyIsStoppedInItsOrder) {
  groups["shop"].standby = true;
  manage({member("web", {"db"}), member("db")});
  supervisor.request_group(Request::online, "shop", now);
  let_go_well();
  ASSERT_EQ(state("web"), State::online);
  effects.log.clear();
  supervisor.tick(now = now + 10s);
  end("web", Task::monitor, Ended::done);
  supervisor.request_group(Request::offline, "shop", now);
  end("db", Task::monitor, Ended::done);
  EXPECT_THAT(effects.log, ElementsAre("stop web"));
  let_go_well();
  EXPECT_THAT(effects.log, ElementsAre("stop web", "stop db"));
}

TEST_F(GroupTest, WhatLeavesAStandbyGroupIsWantedHere) {
  groups["shop"].standby = true;
  manage({member("web"), member("db")});
  set({resource("web"), member("db")});
  EXPECT_TRUE(view("web").wanted);
  EXPECT_FALSE(view("db").wanted);
}

TEST_F(GroupTest, AStartByItselfBringsNoGroupOnlineThatIsToBeOnAnotherNode) {
  groups["shop"].standby = true;
  ResourceConfig page = resource("page", {"db"});
  page.auto_start = true;
  manage({page, member("db")});
  EXPECT_THAT(effects.log, IsEmpty());
  EXPECT_FALSE(view("db").wanted);
  EXPECT_TRUE(told("page", "it is not started by itself")) << all_told();
}

TEST_F(GroupTest, WhereAGroupIsToBeIsTold) {
  groups["shop"].standby = true;
  manage({resource("page", {"db"}), member("db")});
  ask(Request::online, "page");
  EXPECT_TRUE(told("", "the group \"shop\" is to be online on this node")) << all_told();
  supervisor.request_group(Request::offline, "shop", now);
  EXPECT_TRUE(told("", "the group \"shop\" is to be online on another node")) << all_told();
}

TEST_F(GroupTest, WhatIsNotEnabledIsNotClaimedToBeStopped) {
  ResourceConfig web = member("web");
  web.enabled = false;
  manage({web, member("db")}, {"db"});
  const Answer answer = supervisor.request_group(Request::offline, "shop", now);
  EXPECT_TRUE(answer.accepted);
  EXPECT_THAT(answer.text, HasSubstr("\"web\""));
  let_go_well();
  EXPECT_THAT(effects.log, ElementsAre("stop db"));
  ask(Request::disable, "db");
  EXPECT_FALSE(supervisor.request_group(Request::offline, "shop", now).accepted);
}

TEST_F(GroupTest, WhatLeavesItsGroupWhileThatIsGivenUpGivesUpNoOther) {
  ResourceConfig web = member("web");
  web.critical = true;
  groups["shop"].on_fallover = {"/bin/move", "shop"};
  groups["other"].on_fallover = {"/bin/move", "other"};
  manage({web, member("db")}, {"web", "db"});
  supervisor.tick(now = now + 10s);
  end("web", Task::monitor, Ended::failed);
  end("db", Task::monitor, Ended::done);
  ASSERT_EQ(state("db"), State::going_offline);
  web.group = "other";
  set({web, member("db")});
  let_go_well();
  EXPECT_THAT(effects.methods, IsEmpty());
  EXPECT_TRUE(told("web", "no on_fallover is run")) << all_told();
  EXPECT_TRUE(view("web").faulted);
}

// ---- monitors

class WatchTest : public SupervisorTest {
 protected:
  ResourceConfig watched(MonitorConfig config) {
    ResourceConfig web = resource("web");
    web.monitors = {std::move(config)};
    return web;
  }
  MonitorState watch_state() { return view("web").monitors.at(0).state; }
};

TEST_F(WatchTest, AMonitorBeginsAfterTheStabilizationInterval) {
  manage({watched(monitor("db"))}, {"web"});
  EXPECT_EQ(watch_state(), MonitorState::stabilizing);
  pass(9s);
  EXPECT_THAT(effects.watched, IsEmpty());
  pass(1s);
  EXPECT_THAT(effects.watched, ElementsAre("web/db"));
  EXPECT_EQ(watch_state(), MonitorState::watching);
  ask(Request::offline, "web");
  let_go_well();
  EXPECT_THAT(effects.watched, IsEmpty());
  EXPECT_EQ(watch_state(), MonitorState::off);
}

TEST_F(WatchTest, AStartupMonitorIsForTheStartAlone) {
  MonitorConfig db = monitor("db");
  db.mode = MonitorMode::startup;
  manage({watched(db)});
  ask(Request::online, "web");
  EXPECT_TRUE(effects.running.at("web").with_startup_monitors);
  let_go_well();
  pass(1h);
  EXPECT_THAT(effects.watched, IsEmpty());
}

TEST_F(WatchTest, AMonitorOfBothModesIsForBoth) {
  MonitorConfig db = monitor("db");
  db.mode = MonitorMode::both;
  manage({watched(db)});
  ask(Request::online, "web");
  EXPECT_TRUE(effects.running.at("web").with_startup_monitors);
  let_go_well();
  pass(10s);
  EXPECT_THAT(effects.watched, ElementsAre("web/db"));
}

TEST_F(WatchTest, RestartsAsOftenAsItsCountSaysAndThenTakesItsFailureAction) {
  MonitorConfig db = monitor("db");
  db.restart_count = 2;
  db.failure_action = FailureAction::fallover;
  db.notify = {"/bin/notify"};
  db.cleanup = {"/bin/cleanup"};
  db.restart = {"/bin/restart"};
  ResourceConfig web = watched(db);
  web.on_fallover = {"/bin/move"};
  manage({web}, {"web"});
  for (int i = 1; i <= 2; ++i) {
    pass(10s);
    saw("web", "db", false, "postgres (pid 4711) ended");
    EXPECT_EQ(effects.running.at("web").method, Argv({"/bin/cleanup"}));
    end("web", Task::clean, Ended::done);
    EXPECT_EQ(effects.running.at("web").method, Argv({"/bin/restart"}));
    let_go_well();
    EXPECT_EQ(state("web"), State::online);
    EXPECT_EQ(view("web").monitors.at(0).restarts, static_cast<std::size_t>(i));
  }
  pass(10s);
  saw("web", "db", false, "gone again");
  EXPECT_EQ(state("web"), State::going_offline);
  EXPECT_THAT(effects.running.at("web").method, IsEmpty()) << "on the way down it is remove";
  let_go_well();
  EXPECT_TRUE(view("web").faulted);
  ASSERT_EQ(effects.methods.size(), 4u);
  EXPECT_EQ(effects.methods[0].event, "restart");
  EXPECT_EQ(effects.methods[0].monitor, "db");
  EXPECT_EQ(effects.methods[0].reason, "postgres (pid 4711) ended");
  EXPECT_EQ(effects.methods[2].event, "fallover");
  EXPECT_EQ(effects.methods[3].argv, Argv({"/bin/move"}));
}

// Restore records that it is in service, and takes what is on record for its own; a restart method
// does not.
TEST_F(WatchTest, ACleanupMethodIsToldWhetherRestoreFollows) {
  manage({watched(monitor("db"))}, {"web"});
  const auto restore_follows = [this](const Argv& cleanup, const Argv& restart) {
    MonitorConfig db = monitor("db");
    db.cleanup = cleanup;
    db.restart = restart;
    set({watched(db)});
    pass(10s);
    saw("web", "db", false, "gone");
    EXPECT_EQ(effects.running.at("web").method, cleanup);
    const bool follows = effects.running.at("web").restore_follows;
    let_go_well();
    return follows;
  };
  EXPECT_TRUE(restore_follows({"/bin/cleanup"}, {}));
  EXPECT_FALSE(restore_follows({"/bin/cleanup"}, {"/bin/restart"}));
  EXPECT_FALSE(restore_follows({}, {})) << "remove records it";
}

TEST_F(WatchTest, TheCountStartsAnewAfterTheRestartInterval) {
  MonitorConfig db = monitor("db");
  db.restart_count = 1;
  db.restart_interval = 30s;
  manage({watched(db)}, {"web"});
  for (int i = 0; i < 3; ++i) {
    pass(30s);
    saw("web", "db", false);
    EXPECT_EQ(state("web"), State::going_online) << i;
    let_go_well();
  }
  pass(29s);
  saw("web", "db", false, "too soon");
  EXPECT_EQ(state("web"), State::online);
  EXPECT_EQ(watch_state(), MonitorState::failed);
}

TEST_F(WatchTest, WithoutRestartsAndWithNotifyItObservesOnly) {
  MonitorConfig db = monitor("db");
  db.restart_count = 0;
  db.notify = {"/bin/notify"};
  manage({watched(db)}, {"web"});
  pass(10s);
  saw("web", "db", false, "slow");
  EXPECT_EQ(state("web"), State::online);
  EXPECT_EQ(watch_state(), MonitorState::failed);
  EXPECT_EQ(view("web").monitors.at(0).reason, "slow");
  saw("web", "db", false, "slower");
  EXPECT_EQ(effects.methods.size(), 1u) << "told once";
  saw("web", "db", true);
  EXPECT_EQ(watch_state(), MonitorState::watching);
  saw("web", "db", false);
  EXPECT_EQ(effects.methods.size(), 2u);
  EXPECT_THAT(effects.log, IsEmpty());
}

TEST_F(WatchTest, ARestartDoesNotWaitForAMonitorThatRuns) {
  manage({watched(monitor("db"))}, {"web"});
  pass(10s);
  supervisor.tick(now = *supervisor.due());
  ASSERT_EQ(effects.running.at("web").task, Task::monitor);
  saw("web", "db", false);
  EXPECT_EQ(effects.running.at("web").task, Task::clean);
}

TEST_F(WatchTest, ALateVerdictOfAMonitorThatWasGivenUpIsPassedOver) {
  manage({watched(monitor("db"))}, {"web"});
  pass(10s);
  ask(Request::offline, "web");
  let_go_well();
  saw("web", "db", false);
  EXPECT_EQ(state("web"), State::offline);
  EXPECT_FALSE(view("web").faulted);
}

TEST_F(WatchTest, SuspendedNothingIsLookedAtAndResumedItGoesOn) {
  manage({watched(monitor("db"))}, {"web"});
  pass(10s);
  ask(Request::suspend, "web");
  EXPECT_THAT(effects.watched, IsEmpty());
  EXPECT_EQ(watch_state(), MonitorState::suspended);
  EXPECT_FALSE(supervisor.due());
  EXPECT_TRUE(told("web", "suspended"));
  ask(Request::resume, "web");
  supervisor.tick(now);
  EXPECT_THAT(effects.watched, ElementsAre("web/db"));
  EXPECT_TRUE(supervisor.due());
}

TEST_F(WatchTest, SuspendedItCanStillBeStoppedAndStarted) {
  manage({watched(monitor("db"))}, {"web"});
  ask(Request::suspend, "web");
  ask(Request::offline, "web");
  let_go_well();
  EXPECT_EQ(state("web"), State::offline);
  ask(Request::online, "web");
  let_go_well();
  EXPECT_EQ(state("web"), State::online);
  pass(1h);
  EXPECT_THAT(effects.watched, IsEmpty());
}

TEST_F(WatchTest, AVerdictOfAMonitorThatRanWhenItWasSuspendedIsNotWaitedFor) {
  ResourceConfig web = resource("web");
  web.attributes.restart_limit = 1;
  manage({web}, {"web"});
  supervisor.tick(now = *supervisor.due());
  ASSERT_TRUE(effects.running.count("web"));
  ask(Request::suspend, "web");
  EXPECT_FALSE(effects.running.count("web"));
  supervisor.ended("web", Task::monitor, Ended::failed, "stopped by hand", now);
  EXPECT_EQ(state("web"), State::online);
  ask(Request::resume, "web");
  supervisor.tick(now = std::max(now, *supervisor.due()));
  EXPECT_EQ(effects.running.at("web").task, Task::monitor);
}

TEST_F(WatchTest, WhatIsFaultedAndOnlineIsNotToldToBeRestarted) {
  MonitorConfig db = monitor("db");
  db.notify = {"/bin/notify"};
  db.failure_action = FailureAction::fallover;
  ResourceConfig web = watched(db);
  manage({web});
  ask(Request::online, "web");
  end("web", Task::start, Ended::failed);
  let_go_well();
  ASSERT_TRUE(view("web").faulted);
  supervisor.tick(now = *supervisor.due());
  end("web", Task::monitor, Ended::done, "somebody has started it");
  pass(10s);
  saw("web", "db", false, "gone");
  EXPECT_EQ(state("web"), State::going_offline);
  EXPECT_FALSE(told("web", "restart 1")) << all_told();
  ASSERT_EQ(effects.methods.size(), 1u);
  EXPECT_EQ(effects.methods[0].event, "fallover");
}

TEST_F(WatchTest, WhatFailsOnItsWayDownIsStoppedAndNotRestarted) {
  ResourceConfig db = watched(monitor("m"));
  manage({resource("page", {"web"}), db}, {"page", "web"});
  pass(10s);
  ask(Request::offline, "web");
  if (state("page") != State::going_offline) end("page", Task::monitor, Ended::done);
  ASSERT_EQ(state("page"), State::going_offline);
  saw("web", "m", false, "gone");
  let_go_well();
  EXPECT_EQ(state("web"), State::offline);
  EXPECT_THAT(effects.log, ElementsAre("stop page", "stop web"));
  EXPECT_FALSE(told("web", "restart 1")) << all_told();
}

TEST_F(WatchTest, WhereNobodyLookedWhileItIsOfflineANewIntervalIsHeeded) {
  ResourceConfig web = resource("web");
  web.attributes.offline_monitor_interval = 0s;
  manage({web});
  ASSERT_FALSE(supervisor.due());
  web.attributes.offline_monitor_interval = 5s;
  set({web});
  ASSERT_TRUE(supervisor.due());
  EXPECT_LE(*supervisor.due(), now + 5s);
}

TEST_F(WatchTest, AShorterIntervalIsHeededAtOnce) {
  ResourceConfig web = resource("web");
  web.attributes.monitor_interval = 1h;
  manage({web}, {"web"});
  web.attributes.monitor_interval = 1s;
  set({web});
  EXPECT_LE(*supervisor.due(), now + 1s);
}

// ---- the agent after it

class AdoptTest : public SupervisorTest {
 protected:
  // The agent is killed; another one begins with what it kept.
  void kill_agent() {
    kept_before = effects.kept;
    later = std::make_unique<Supervisor>(after);
  }
  void begin(const std::vector<ResourceConfig>& configs) {
    std::vector<Supervisor::Known> known;
    for (const ResourceConfig& config : configs) {
      const auto record = kept_before.find(config.tag.text());
      known.push_back(
          {config, record == kept_before.end() ? std::nullopt : std::optional(record->second)});
    }
    after.kept = kept_before;
    later->set_resources(known, groups, now);
  }
  void end_later(const std::string& tag, Task task, Ended how) {
    ASSERT_EQ(after.running.at(tag).task, task);
    after.running.erase(tag);
    later->ended(tag, task, how, "", now);
  }

  FakeEffects after{};
  std::unique_ptr<Supervisor> later{};
};

TEST_F(AdoptTest, WhatRunsIsLeftAlone) {
  manage({resource("web")}, {"web"});
  kill_agent();
  begin({resource("web")});
  EXPECT_EQ(later->view("web")->state, State::online);
  end_later("web", Task::monitor, Ended::done);
  EXPECT_EQ(later->view("web")->state, State::online);
  EXPECT_THAT(after.log, IsEmpty());
}

TEST_F(AdoptTest, WhatDiesWithTheAgentIsRestartedByTheNext) {
  ResourceConfig web = resource("web");
  web.attributes.restart_limit = 1;
  manage({web}, {"web"});
  kill_agent();
  begin({web});
  end_later("web", Task::monitor, Ended::failed);
  EXPECT_THAT(after.log, ElementsAre("clean web"));
  EXPECT_EQ(later->view("web")->state, State::going_online);
}

TEST_F(AdoptTest, WhatIsSuspendedIsNotLookedAtByTheNextEither) {
  manage({resource("web")}, {"web"});
  ask(Request::suspend, "web");
  kill_agent();
  begin({resource("web")});
  EXPECT_EQ(later->view("web")->state, State::online);
  EXPECT_FALSE(after.running.count("web"));
  EXPECT_FALSE(later->due());
}

TEST_F(AdoptTest, AStartUnderWayIsWaitedForAndWhatDependsOnItFollows) {
  const std::vector<ResourceConfig> both{resource("web", {"db"}), resource("db")};
  manage(both);
  ask(Request::online, "web");
  kill_agent();
  begin(both);
  EXPECT_THAT(after.log, ElementsAre("adopt start db"));
  EXPECT_EQ(later->view("db")->state, State::going_online);
  end_later("web", Task::open, Ended::done);
  end_later("web", Task::monitor, Ended::failed);
  end_later("db", Task::start, Ended::done);
  end_later("db", Task::monitor, Ended::done);
  EXPECT_THAT(after.log, ElementsAre("adopt start db", "start web"));
  end_later("web", Task::start, Ended::done);
  end_later("web", Task::monitor, Ended::done);
  EXPECT_EQ(later->view("web")->state, State::online);
}

TEST_F(AdoptTest, AStopUnderWayIsWaitedFor) {
  manage({resource("web")}, {"web"});
  ask(Request::offline, "web");
  kill_agent();
  begin({resource("web")});
  end_later("web", Task::stop, Ended::done);
  end_later("web", Task::monitor, Ended::failed);
  EXPECT_EQ(later->view("web")->state, State::offline);
  EXPECT_FALSE(later->view("web")->goal);
}

TEST_F(AdoptTest, AStartThatHasEndedIsNotMadeAgainThoughItIsNotSeenOnlineYet) {
  manage({resource("web")});
  ask(Request::online, "web");
  end("web", Task::start, Ended::done);
  end("web", Task::monitor, Ended::failed, "coming up");
  ASSERT_EQ(state("web"), State::going_online_wait);
  kill_agent();
  begin({resource("web")});
  end_later("web", Task::monitor, Ended::failed);
  later->tick(now += 60s);
  end_later("web", Task::monitor, Ended::done);
  EXPECT_EQ(later->view("web")->state, State::online);
  EXPECT_THAT(after.log, IsEmpty());
}

TEST_F(AdoptTest, AStopThatWasAskedForDuringAStartFollowsTheAdoptedStart) {
  manage({resource("web")});
  ask(Request::online, "web");
  ask(Request::offline, "web");
  kill_agent();
  begin({resource("web")});
  end_later("web", Task::start, Ended::done);
  end_later("web", Task::monitor, Ended::done);
  EXPECT_THAT(after.log, ElementsAre("adopt start web", "stop web"));
}

TEST_F(AdoptTest, WhatIsUnderWayIsWaitedForThoughItIsToBeDisabled) {
  manage({resource("web")});
  ask(Request::online, "web");
  ask(Request::disable, "web");
  kill_agent();
  begin({resource("web")});
  EXPECT_THAT(after.log, ElementsAre("adopt start web"));
  end_later("web", Task::start, Ended::done);
  end_later("web", Task::monitor, Ended::done);
  EXPECT_EQ(later->view("web")->state, State::detached);
}

TEST_F(AdoptTest, AFaultASuspensionAndADisableOutliveTheAgent) {
  manage({resource("web"), resource("db"), resource("mail")}, {"db"});
  ask(Request::online, "web");
  end("web", Task::start, Ended::failed, "exit 3");
  let_go_well();
  ask(Request::suspend, "db");
  ask(Request::disable, "mail");
  kill_agent();
  begin({resource("web"), resource("db"), resource("mail")});
  EXPECT_TRUE(later->view("web")->faulted);
  EXPECT_THAT(later->view("web")->fault, HasSubstr("exit 3"));
  EXPECT_TRUE(later->view("db")->suspended);
  EXPECT_EQ(later->view("mail")->state, State::detached);
}

TEST_F(AdoptTest, TheCountOfRestartsGoesOn) {
  ResourceConfig web = resource("web");
  web.attributes.restart_limit = 1;
  manage({web}, {"web"});
  supervisor.tick(now = *supervisor.due());
  end("web", Task::monitor, Ended::failed);
  let_go_well();
  ASSERT_EQ(state("web"), State::online);
  kill_agent();
  begin({web});
  end_later("web", Task::monitor, Ended::done);
  later->tick(now = *later->due());
  end_later("web", Task::monitor, Ended::failed);
  EXPECT_TRUE(later->view("web")->faulted) << "it has had its one restart";
}

TEST_F(AdoptTest, AFallOverThatWasBegunIsFinished) {
  ResourceConfig web = resource("web");
  web.on_fallover = {"/bin/move"};
  manage({web}, {"web"});
  web.attributes.fault_on_monitor_timeouts = 1;
  set({web});
  supervisor.tick(now = now + 10s);
  end("web", Task::monitor, Ended::timed_out);
  ASSERT_EQ(effects.running.at("web").task, Task::clean);
  kill_agent();
  begin({web});
  end_later("web", Task::clean, Ended::done);
  end_later("web", Task::monitor, Ended::failed);
  EXPECT_EQ(after.methods.size(), 1u);
}

// Killed at the first of its deeds for the others of the group.
TEST_F(AdoptTest, WhatFollowsFromAFaultForOthersIsNotLostWithTheAgent) {
  ResourceConfig web = resource("web");
  web.group = "shop";
  web.critical = true;
  web.attributes.fault_on_monitor_timeouts = 1;
  ResourceConfig db = resource("db");
  db.group = "shop";
  groups["shop"].on_fallover = {"/bin/move"};
  manage({web, db}, {"web", "db"});
  supervisor.tick(now = now + 10s);
  end("db", Task::monitor, Ended::done);
  const std::size_t kept_so_far = effects.all_kept.size();
  end("web", Task::monitor, Ended::timed_out);
  ASSERT_GT(effects.all_kept.size(), kept_so_far);
  const auto deeds = effects.all_kept;
  for (std::size_t last = kept_so_far + 1; last <= deeds.size(); ++last) {
    effects.kept.clear();
    for (std::size_t i = 0; i < last; ++i) effects.kept[deeds[i].first] = deeds[i].second;
    after = FakeEffects();
    kill_agent();
    begin({web, db});
    for (int i = 0; i < 20 && !after.running.empty(); ++i) {
      const auto [tag, run] = *after.running.begin();
      const State state = later->view(tag)->state;
      const bool off = state == State::going_offline_wait || state == State::offline;
      end_later(tag, run.task, run.task == Task::monitor && off ? Ended::failed : Ended::done);
    }
    EXPECT_EQ(later->view("db")->state, State::offline) << "killed after deed " << last;
    EXPECT_EQ(after.methods.size(), 1u) << "killed after deed " << last;
    later.reset();
  }
}

TEST_F(AdoptTest, WhatDependsOnAFaultedOneIsTakenOfflineThoughTheAgentIsKilled) {
  const std::vector<ResourceConfig> both{resource("web", {"db"}), resource("db")};
  manage(both, {"web", "db"});
  supervisor.tick(now = now + 10s);  // the stop of web will wait for its monitor
  const std::size_t kept_so_far = effects.all_kept.size();
  end("db", Task::monitor, Ended::failed);
  const auto deeds = effects.all_kept;
  ASSERT_GT(deeds.size(), kept_so_far);
  for (std::size_t last = kept_so_far + 1; last <= deeds.size(); ++last) {
    effects.kept.clear();
    for (std::size_t i = 0; i < last; ++i) effects.kept[deeds[i].first] = deeds[i].second;
    if (!effects.kept.at("db").faulted) continue;  // it is looked at again
    after = FakeEffects();
    kill_agent();
    begin(both);
    for (int i = 0; i < 20 && !after.running.empty(); ++i) {
      const auto [tag, run] = *after.running.begin();
      const State state = later->view(tag)->state;
      const bool off = tag == "db" || state == State::going_offline_wait || state == State::offline;
      end_later(tag, run.task, run.task == Task::monitor && off ? Ended::failed : Ended::done);
    }
    EXPECT_EQ(later->view("web")->state, State::offline) << "killed after deed " << last;
    later.reset();
  }
}

TEST_F(AdoptTest, ARestartByAMonitorsMethodsGoesOnByThem) {
  MonitorConfig m = monitor("m");
  m.cleanup = {"/bin/cleanup"};
  m.restart = {"/bin/restart"};
  ResourceConfig web = resource("web");
  web.monitors = {m};
  manage({web}, {"web"});
  pass(10s);
  saw("web", "m", false);
  ASSERT_EQ(effects.running.at("web").method, Argv({"/bin/cleanup"}));
  kill_agent();
  begin({web});
  EXPECT_EQ(after.running.at("web").method, Argv({"/bin/cleanup"}));
  end_later("web", Task::clean, Ended::done);
  EXPECT_EQ(after.running.at("web").method, Argv({"/bin/restart"}));
}

TEST_F(AdoptTest, ThatItWasNotTakenOutIsKnownToTheNextAgent) {
  manage({resource("web")});
  ask(Request::online, "web");
  end("web", Task::start, Ended::failed);
  end("web", Task::clean, Ended::failed);
  ASSERT_TRUE(effects.running.at("web").failed_is_unknown);
  kill_agent();
  begin({resource("web")});
  EXPECT_TRUE(after.running.at("web").failed_is_unknown) << "it would be given over as offline";
}

// A resource whose monitor has restarted it once of twice.
class MonitorCountTest : public AdoptTest {
 protected:
  MonitorCountTest() {
    MonitorConfig db = monitor("db");
    db.restart_count = 2;
    db.restart_interval = 60s;
    db.failure_action = FailureAction::fallover;
    web.monitors = {db};
    manage({web}, {"web"});
    pass(10s);
    saw("web", "db", false, "gone");
  }
  // Of the next agent: the monitor's first verdict.
  void fail_later() {
    later->tick(now = now + 10s);
    ASSERT_THAT(after.watched, ElementsAre("web/db"));
    later->monitor_saw("web", "db", {false, "gone again"}, now);
  }
  std::size_t restarts_later() const { return later->view("web")->monitors.at(0).restarts; }

  ResourceConfig web = resource("web");
};

TEST_F(MonitorCountTest, GoesOnWithTheNextAgent) {
  let_go_well();
  kill_agent();
  begin({web});
  EXPECT_EQ(restarts_later(), 1u);
  end_later("web", Task::monitor, Ended::done);
  fail_later();
  EXPECT_EQ(restarts_later(), 2u);
  EXPECT_EQ(after.running.at("web").task, Task::clean);
  EXPECT_EQ(later->view("web")->state, State::going_online);
}

TEST_F(MonitorCountTest, IsKeptBeforeItsRestartBegins) {
  kill_agent();
  begin({web});
  EXPECT_EQ(restarts_later(), 1u);
  end_later("web", Task::clean, Ended::done);
  end_later("web", Task::start, Ended::done);
  end_later("web", Task::monitor, Ended::done);
  fail_later();
  end_later("web", Task::clean, Ended::done);
  end_later("web", Task::start, Ended::done);
  end_later("web", Task::monitor, Ended::done);
  fail_later();
  EXPECT_EQ(later->view("web")->state, State::going_offline) << "the third is one too many";
}

TEST_F(MonitorCountTest, TimeInServiceWithTheAgentBeforeCounts) {
  let_go_well();
  pass(55s);
  kill_agent();
  begin({web});
  end_later("web", Task::monitor, Ended::done);
  fail_later();
  EXPECT_EQ(restarts_later(), 1u) << "60 s in service have wiped the first away";
}

TEST_F(MonitorCountTest, IsClearedWithTheFaultForTheNextAgentToo) {
  let_go_well();
  for (int i = 0; i < 2; ++i) {
    pass(10s);
    saw("web", "db", false, "gone");
    let_go_well();
  }
  ASSERT_TRUE(view("web").faulted);
  ASSERT_EQ(effects.kept.at("web").monitors.at("db").restarts, 2u);
  ask(Request::clear, "web");
  EXPECT_THAT(effects.kept.at("web").monitors, IsEmpty());
}

TEST_F(MonitorCountTest, ATimeToComeIsNone) {
  let_go_well();
  effects.kept.at("web").monitors.at("db").in_service_since = 24h;
  kill_agent();
  begin({web});
  end_later("web", Task::monitor, Ended::done);
  later->tick(now = now + 61s);
  end_later("web", Task::monitor, Ended::done);
  later->monitor_saw("web", "db", {false, "gone again"}, now);
  EXPECT_EQ(restarts_later(), 1u);
}

TEST_F(AdoptTest, WhatWasKeptOfAnotherResourceOfThatTagIsNotUsed) {
  manage({resource("web")}, {"web"});
  kill_agent();
  ResourceConfig other{common::Tag("web"), common::Id("another1"), "script"};
  begin({other});
  EXPECT_EQ(later->view("web")->state, State::opening);
}

TEST_F(AdoptTest, AGroupIsNotPutOnStandbyByOneThatCameFromAnother) {
  groups["old"].standby = true;
  groups["new"].standby = false;
  ResourceConfig web = resource("web");
  web.group = "old";
  ResourceConfig db = resource("db");
  db.group = "new";
  manage({web, db}, {"db"});
  ASSERT_TRUE(effects.kept.at("web").standby);
  kill_agent();
  web.group = "new";
  begin({db, web});
  EXPECT_TRUE(later->view("db")->wanted);
  EXPECT_TRUE(later->view("web")->wanted);
}

TEST_F(AdoptTest, TheRecordOfWhatIsKnownAlreadyChangesNothing) {
  groups["shop"].standby = false;
  ResourceConfig web = resource("web");
  web.group = "shop";
  manage({web});
  kept_before = effects.kept;
  groups["shop"].standby = true;
  set({web});
  EXPECT_FALSE(view("web").wanted) << "the file says so now";
}

// ---- reading the files anew

TEST_F(SupervisorTest, NewSettingsHoldForWhatGoesOn) {
  manage({resource("web")}, {"web"});
  ResourceConfig web = resource("web");
  web.attributes.monitor_interval = 1s;
  web.monitors = {monitor("db")};
  set({web});
  EXPECT_EQ(state("web"), State::online);
  pass(10s);
  EXPECT_THAT(effects.watched, ElementsAre("web/db"));
  EXPECT_LE(*supervisor.due(), now + 1s);
}

TEST_F(SupervisorTest, AResourceThatIsGoneIsLeftAsItIs) {
  manage({resource("web"), resource("db")}, {"web", "db"});
  set({resource("db")});
  EXPECT_FALSE(supervisor.view("web"));
  EXPECT_THAT(effects.log, ElementsAre("forget web"));
  EXPECT_EQ(state("db"), State::online);
  supervisor.ended("web", Task::monitor, Ended::failed, "late", now);
}

TEST_F(SupervisorTest, AnotherResourceOfThatTagIsBegunAnew) {
  ResourceConfig web = resource("web");
  web.attributes.restart_limit = 1;
  manage({web}, {"web"});
  ResourceConfig other{common::Tag("web"), common::Id("another1"), "script"};
  other.attributes.restart_limit = 1;
  set({other});
  EXPECT_EQ(state("web"), State::opening);
  EXPECT_EQ(effects.running.at("web").task, Task::open);
}

TEST_F(SupervisorTest, ThatNothingIsLeftIsSeen) {
  manage({resource("web")});
  const auto version = supervisor.version();
  set({});
  EXPECT_GT(supervisor.version(), version);
}

TEST_F(SupervisorTest, EnabledInTheFileEnables) {
  ResourceConfig web = resource("web");
  web.enabled = false;
  manage({web});
  web.enabled = true;
  set({web});
  EXPECT_EQ(state("web"), State::opening);
}

// ---- many

TEST_F(SupervisorTest, AThousandMonitorsAreSpreadOverTheirInterval) {
  std::vector<ResourceConfig> many;
  std::set<std::string> online;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(resource("r" + std::to_string(i)));
    online.insert("r" + std::to_string(i));
  }
  manage(many, online);
  std::size_t most = 0;
  for (int second = 0; second < 10; ++second) {
    now += 1s;
    supervisor.tick(now);
    most = std::max(most, effects.running.size());
    effects.running.clear();
  }
  EXPECT_LT(most, 200u);
}

}  // namespace
}  // namespace genapp::agent
