// The agent with real resources, in the order of a user's life.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/support/agent_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kQuick[] = "monitor_interval = 0.2\noffline_monitor_interval = 0.2\n";

bool ends_with_one_app(const AgentNode& node, const std::string& tag) {
  return wait_until([&] { return node.processes(tag).size() == 1; });
}

// A resource beside the one of interest: while it is looked at, the agent does what it has to do.
void add_other(AgentNode& node) { node.app("other", kQuick); }
bool start_other(const AgentNode& node) { return node.genapp({"online", "other"}).exit_code == 0; }
bool other_is_looked_at(const AgentNode& node) {
  const std::size_t before = node.count("other", "quickCheck");
  return wait_until([&] { return node.count("other", "quickCheck") >= before + 4; });
}

// ---- a first day

TEST(AgentLife, StartsWatchesRestartsAndStops) {
  AgentNode node;
  node.app("web", std::string(kQuick) + "restart_limit = 2\n");
  node.start();
  ASSERT_TRUE(node.comes_to("web", "Offline"));
  EXPECT_EQ(node.count("web", "restore"), 0u) << "nothing is started by itself";

  const Result online = node.genapp({"online", "web"});
  EXPECT_EQ(online.exit_code, 0) << online.err;
  EXPECT_EQ(node.view("web", "state"), "Online");
  ASSERT_THAT(node.processes("web"), SizeIs(1));

  const pid_t first = node.processes("web").at(0);
  ::kill(first, SIGKILL);
  EXPECT_TRUE(wait_until([&] {
    const auto all = node.processes("web");
    return all.size() == 1 && all[0] != first && node.view("web", "state") == "Online";
  }));
  EXPECT_EQ(node.view("web", "faulted"), "false");

  const Result offline = node.genapp({"offline", "web"});
  EXPECT_EQ(offline.exit_code, 0) << offline.err;
  EXPECT_THAT(node.processes("web"), IsEmpty());
  EXPECT_EQ(node.node().has("web1.state"), false) << "OSU is no file";

  const Result events = node.genapp({"events"});
  EXPECT_THAT(events.out, HasSubstr("Offline -> GoingOnline: told to go online"));
  EXPECT_THAT(events.out, HasSubstr("restart 1 of 2"));
  EXPECT_EQ(node.stop().exit_code, 0);
}

TEST(AgentLife, WhatIsCreatedIsKnownAfterAReload) {
  AgentNode node;
  node.app("web", kQuick);
  const auto create = [&](const std::string& tag) {
    const Result result =
        node.genapp({"create", "-t", tag, "-i", tag, "--type", "script", "--set",
                     "restore=[\"/bin/true\"]", "--set", "remove=[\"/bin/true\"]"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("created the resource"));
    return result.out;
  };
  EXPECT_THAT(create("early"), Not(HasSubstr("genapp reload"))) << "no agent runs";
  node.start();
  EXPECT_THAT(create("late"), HasSubstr("genapp reload, then genapp online late\n"));
  EXPECT_EQ(node.genapp({"online", "late"}).exit_code, 1);
  EXPECT_EQ(node.genapp({"reload"}).exit_code, 0);
  const Result online = node.genapp({"online", "late"});
  EXPECT_EQ(online.exit_code, 0) << online.err;
  node.kill();
  EXPECT_THAT(create("after"), Not(HasSubstr("genapp reload"))) << "what it left is no agent";
}

TEST(AgentLife, AFaultIsToldAndClearedByAPerson) {
  AgentNode node;
  node.app("web", kQuick);
  node.script("web", "restore", "echo restore >>\"$here/journal\"; echo 'no disk'; exit 3");
  node.start();
  ASSERT_TRUE(node.comes_to("web", "Offline"));
  const Result online = node.genapp({"online", "web"});
  EXPECT_EQ(online.exit_code, 1);
  EXPECT_THAT(online.err, HasSubstr("no disk"));
  EXPECT_TRUE(node.comes_to("web", "Offline"));
  EXPECT_EQ(node.view("web", "faulted"), "true");
  EXPECT_THAT(node.genapp({"online", "web"}).err, HasSubstr("genapp clear web"));
  EXPECT_EQ(node.count("web", "restore"), 1u);

  node.script("web", "restore", "echo restore >>\"$here/journal\"; app");
  EXPECT_EQ(node.genapp({"clear", "web"}).exit_code, 0);
  EXPECT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  EXPECT_THAT(node.processes("web"), SizeIs(1));
}

TEST(AgentLife, GroupsStartInOrderAndACriticalFaultTakesThemDown) {
  AgentNode node;
  const std::string moved = node.path("moved");
  node.settings(
      "[agent]\npage = \"\"\n[group.shop]\non_fallover = [\"/bin/sh\", \"-c\", "
      "\"echo $GENAPP_GROUP $GENAPP_EVENT > " +
      moved + "\"]\n");
  node.app("db", std::string(kQuick) + "group = \"shop\"\ncritical = true\n");
  node.app("web", std::string(kQuick) + "group = \"shop\"\ndepends_on = [\"db\"]\n");
  node.start();
  const Result online = node.genapp({"online", "--group", "shop"});
  EXPECT_EQ(online.exit_code, 0) << online.err;
  EXPECT_THAT(node.processes("web"), SizeIs(1));
  EXPECT_THAT(node.processes("db"), SizeIs(1));

  ::kill(node.processes("db").at(0), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return read_file(moved) == "shop fallover\n"; }))
      << node.genapp({"events"}).out;
  EXPECT_THAT(node.processes("web"), IsEmpty());
  EXPECT_EQ(node.view("db", "faulted"), "true");
  EXPECT_EQ(node.view("web", "faulted"), "false");
  EXPECT_EQ(node.view("web", "state"), "Offline");
}

TEST(AgentLife, SuspendedItLooksAwayAndResumedItSees) {
  AgentNode node;
  node.app("web", std::string(kQuick) + "restart_limit = 5\n");
  add_other(node);
  node.start();
  ASSERT_TRUE(start_other(node));
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  EXPECT_EQ(node.genapp({"suspend", "web"}).exit_code, 0);
  ::kill(node.processes("web").at(0), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node.processes("web").empty(); }));
  const std::size_t looks = node.count("web", "quickCheck");
  ASSERT_TRUE(other_is_looked_at(node));
  EXPECT_LE(node.count("web", "quickCheck"), looks + 1) << "one may have been under way";
  EXPECT_EQ(node.view("web", "state"), "Online");
  EXPECT_EQ(node.genapp({"resume", "web"}).exit_code, 0);
  EXPECT_TRUE(ends_with_one_app(node, "web"));
}

TEST(AgentLife, DisabledItIsLeftAsItIs) {
  AgentNode node;
  node.app("web", kQuick);
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  EXPECT_EQ(node.genapp({"disable", "web"}).exit_code, 0);
  EXPECT_TRUE(node.comes_to("web", "Detached"));
  EXPECT_THAT(node.processes("web"), SizeIs(1));
  const Result offline = node.genapp({"offline", "web"});
  EXPECT_EQ(offline.exit_code, 1) << "nothing may be claimed of what is not looked at";
  EXPECT_THAT(offline.err, HasSubstr("not enabled"));
  EXPECT_THAT(node.processes("web"), SizeIs(1));
  EXPECT_EQ(node.genapp({"enable", "web"}).exit_code, 0);
  EXPECT_TRUE(node.comes_to("web", "Online"));
}

// What is not healthy may run nevertheless.
TEST(AgentFallover, WhatIsNotHealthyIsStoppedBeforeAnythingIsGivenOver) {
  AgentNode node;
  const std::string given = node.path("given");
  const std::string look = "grep -q 'State:.[RSD]' /proc/$(cat " + node.path("web/pid") +
                           ")/status && echo runs > " + given + " || echo gone > " + given;
  node.app("web", std::string(kQuick) + "on_fallover = [\"/bin/sh\", \"-c\", \"" + look + "\"]\n");
  node.script("web", "quickCheck", "test ! -e \"$here/sick\"");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  ASSERT_THAT(node.processes("web"), SizeIs(1));
  write_file(node.path("web/sick"), "");
  ASSERT_TRUE(wait_until([&] { return !read_file(given).empty(); })) << node.genapp({"events"}).out;
  EXPECT_EQ(read_file(given), "gone\n");
  EXPECT_EQ(node.view("web", "state"), "Offline");
  EXPECT_EQ(node.view("web", "faulted"), "true");
}

TEST(AgentFallover, NothingIsGivenOverOfWhatCanNotBeTakenOut) {
  AgentNode node;
  const std::string given = node.path("given");
  node.app("web", std::string(kQuick) + "on_fallover = [\"/bin/touch\", \"" + given + "\"]\n");
  node.script("web", "quickCheck", "test ! -e \"$here/sick\"");
  node.script("web", "remove", "echo remove >>\"$here/journal\"; exit 1");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  write_file(node.path("web/sick"), "");
  ASSERT_TRUE(wait_until([&] { return node.view("web", "faulted") == "true"; }));
  ASSERT_TRUE(wait_until([&] { return node.count("web", "remove") >= 2; }));
  EXPECT_NE(node.view("web", "state"), "Offline");
  EXPECT_FALSE(std::filesystem::exists(given));
  EXPECT_EQ(node.genapp({"offline", "web", "--wait", "5"}).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(given));
}

TEST(AgentFallover, NothingIsGivenOverOfWhatFailedToStartAndToBeTakenOut) {
  AgentNode node;
  const std::string given = node.path("given");
  node.app("web", std::string(kQuick) + "on_fallover = [\"/bin/touch\", \"" + given + "\"]\n");
  node.script("web", "restore", "app; exit 1");
  node.script("web", "remove", "echo remove >>\"$here/journal\"; exit 1");
  node.start();
  EXPECT_EQ(node.genapp({"online", "web", "--wait", "5"}).exit_code, 1);
  ASSERT_TRUE(wait_until([&] { return node.count("web", "remove") >= 1; }));
  ASSERT_TRUE(node.comes_to("web", "Probing")) << node.genapp({"events"}).out;
  EXPECT_FALSE(std::filesystem::exists(given));
  // A person sees to it.
  node.script("web", "remove", "kill -9 \"$(cat \"$here/pid\")\"; true");
  EXPECT_EQ(node.node().action("remove", "web", "web1").exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(given); }));
  EXPECT_EQ(node.view("web", "state"), "Offline");
}

// ---- monitors

TEST(AgentMonitors, ADeathIsSeenAtOnceAndRestarted) {
  AgentNode node;
  // quickCheck would be too late: the restart is the process monitor's.
  node.app("web", "monitor_interval = 3600\n[monitor.proc]\nkind = \"process\"\nprocesses = [\"" +
                      AgentNode::app_name("web") +
                      "\"]\nstabilization_interval = 0.1\nrestart_count = 5\n");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  const auto watching = [&] {
    return node.view("web", "monitors").find("\"state\":\"watching\"") != std::string::npos;
  };
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(wait_until(watching)) << node.view("web", "monitors");
    const pid_t before = node.processes("web").at(0);
    ::kill(before, SIGKILL);
    EXPECT_TRUE(wait_until([&] {
      const auto all = node.processes("web");
      return all.size() == 1 && all[0] != before && node.view("web", "state") == "Online";
    }));
  }
  EXPECT_THAT(node.genapp({"events"}).out, HasSubstr("restart 2 of 5"));
}

TEST(AgentMonitors, ACustomMonitorThatHangsIsAFailure) {
  AgentNode node;
  const std::string check = node.path("check");
  node.app("web", std::string(kQuick) +
                      "[monitor.deep]\nkind = \"custom\"\ncommand = [\"/bin/sh\", "
                      "\"-c\", \"test ! -e " +
                      node.path("hang") +
                      " || sleep 60\"]\n"
                      "monitor_interval = 0.3\nstabilization_interval = 0.1\nrestart_count = 0\n"
                      "notify = [\"/bin/sh\", \"-c\", \"echo $GENAPP_MONITOR: $GENAPP_REASON > " +
                      node.path("notified") + "\"]\n");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  write_file(node.path("hang"), "");
  EXPECT_TRUE(wait_until([&] { return !read_file(node.path("notified")).empty(); }));
  EXPECT_THAT(read_file(node.path("notified")), HasSubstr("deep: "));
  EXPECT_EQ(node.view("web", "state"), "Online") << "it is told, and nothing else";
  std::filesystem::remove(node.path("hang"));
  EXPECT_TRUE(wait_until([&] {
    return node.genapp({"events"}).out.find("monitor deep is healthy again") != std::string::npos;
  }));
}

TEST(AgentMonitors, WhatRunsAlreadyIsNotStartedASecondTime) {
  AgentNode node;
  node.app("web", std::string(kQuick) +
                      "[monitor.up]\nkind = \"process\"\nmode = \"startup\"\nprocesses = [\"" +
                      AgentNode::app_name("web") + "\"]\n");
  Process by_hand(Command{{node.path("web/" + AgentNode::app_name("web")), "600"}});
  ASSERT_TRUE(wait_until([&] { return node.processes("web").size() == 1; }));
  write_file(node.path("web/pid"), std::to_string(by_hand.pid()) + "\n");
  node.start();
  ASSERT_TRUE(node.comes_to("web", "Offline"));
  const Result online = node.genapp({"online", "web"});
  EXPECT_EQ(online.exit_code, 0) << online.err;
  EXPECT_EQ(node.count("web", "restore"), 0u);
  EXPECT_THAT(node.processes("web"), ElementsAre(by_hand.pid()));
}

// ---- the agent's own troubles

TEST(AgentKilled, NoApplicationIsRestartedOrLost) {
  AgentNode node;
  node.app("web", kQuick);
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  const auto before = node.processes("web");
  node.kill();
  EXPECT_EQ(node.processes("web"), before);
  node.start();
  EXPECT_TRUE(node.comes_to("web", "Online"));
  EXPECT_EQ(node.processes("web"), before);
  EXPECT_EQ(node.count("web", "restore"), 1u);
  EXPECT_EQ(node.stop().exit_code, 0);
  EXPECT_EQ(node.processes("web"), before) << "the end of the agent is none of the application's";
}

TEST(AgentKilled, AStartUnderWayGoesOnAndIsSeenByTheNext) {
  AgentNode node;
  node.app("web", kQuick);
  node.script("web", "restore",
              "echo restore >>\"$here/journal\"; while ! [ -e \"$here/go\" ]; do sleep 0.01; done; "
              "app");
  node.start();
  ASSERT_TRUE(node.comes_to("web", "Offline"));
  EXPECT_EQ(node.genapp({"online", "web", "--wait", "0"}).exit_code, 0);
  ASSERT_TRUE(wait_until([&] { return node.count("web", "restore") == 1; }));
  node.kill();
  node.start();
  EXPECT_EQ(node.view("web", "state"), "GoingOnline");
  write_file(node.path("web/go"), "");
  EXPECT_TRUE(node.comes_to("web", "Online"));
  EXPECT_EQ(node.count("web", "restore"), 1u);
  EXPECT_EQ(node.count("web", "remove"), 0u);
}

TEST(AgentKilled, WhatWasTakenOutStaysOut) {
  AgentNode node;
  node.app("web", std::string(kQuick) + "auto_start = true\n");
  add_other(node);
  node.start();
  ASSERT_TRUE(start_other(node));
  ASSERT_TRUE(node.comes_to("web", "Online"));
  ASSERT_EQ(node.genapp({"offline", "web"}).exit_code, 0);
  node.kill();
  node.start();
  EXPECT_TRUE(node.comes_to("web", "Offline"));
  ASSERT_TRUE(other_is_looked_at(node));
  EXPECT_EQ(node.count("web", "restore"), 1u);
}

TEST(AgentStart, ASecondOneIsRefused) {
  AgentNode node;
  node.start();
  const Result second = node.node().run({"genapp-agent"});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr(std::to_string(node.agent().pid())));
}

TEST(AgentStart, AWrongFileConcernsItsResourceAlone) {
  AgentNode node;
  node.app("web", kQuick);
  node.app("bad", "restart_limti = 1\n");
  node.app("above", std::string(kQuick) + "depends_on = [\"bad\"]\n");
  node.start();
  EXPECT_TRUE(node.comes_to("web", "Offline"));
  const std::string events = node.genapp({"events"}).out;
  EXPECT_THAT(events, HasSubstr("bad.toml:6: "));
  EXPECT_THAT(events, HasSubstr("restart_limti"));
  EXPECT_THAT(events, ContainsRegex("above.*\"bad\""));
  EXPECT_EQ(node.genapp({"online", "web"}).exit_code, 0);
}

TEST(AgentStart, AReloadWithAWrongFileChangesNothing) {
  AgentNode node;
  node.app("web", kQuick);
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  node.app("web", "monitor_interval = \"often\"\n");
  const Result wrong = node.genapp({"reload"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("web.toml:6: "));
  EXPECT_EQ(node.view("web", "state"), "Online");
  node.app("web", kQuick);
  node.app("db", kQuick);
  EXPECT_EQ(node.genapp({"reload"}).exit_code, 0);
  EXPECT_TRUE(node.comes_to("db", "Offline"));
  EXPECT_EQ(node.view("web", "state"), "Online");
}

TEST(AgentStart, WhatWasLeftOutForAWrongFileIsRememberedWhenThatIsMended) {
  AgentNode node;
  const std::string keys = std::string(kQuick) + "auto_start = true\n";
  node.app("web", keys);
  add_other(node);
  node.start();
  ASSERT_TRUE(start_other(node));
  ASSERT_TRUE(node.comes_to("web", "Online"));
  ASSERT_EQ(node.genapp({"offline", "web"}).exit_code, 0);
  node.kill();
  node.app("web", "restart_limti = 1\n");
  node.start();
  node.app("web", keys);
  ASSERT_EQ(node.genapp({"reload"}).exit_code, 0);
  EXPECT_TRUE(node.comes_to("web", "Offline"));
  ASSERT_TRUE(other_is_looked_at(node));
  EXPECT_EQ(node.view("web", "state"), "Offline") << "it was taken out by a person";
  EXPECT_EQ(node.count("web", "restore"), 1u);
}

TEST(AgentStart, WithoutAnAgentItsCommandsSaySo) {
  AgentNode node;
  const Result online = node.genapp({"online", "web"});
  EXPECT_EQ(online.exit_code, 1);
  EXPECT_THAT(online.err, HasSubstr("genapp-agent"));
}

}  // namespace
}  // namespace genapp::tests
