// One resource's life, in the order in which a user meets it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/lbhc_node.hpp"
#include "tests/support/net.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Life, RestoreWaitsForTheFirstProbeThenTheDaemonServes) {
  LbhcNode node;
  Process restore = node.start("restore");
  ASSERT_TRUE(wait_until([&] { return accepts(node.port()); })) << restore.err();
  const Result result = restore.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("BEGIN restore of \"lb\" (id app1)"));
  EXPECT_THAT(result.err, HasSubstr("END successful restore of \"lb\" (id app1, "));
  EXPECT_EQ(node.state(), "ISP");
  EXPECT_EQ(probe(node.port()).bytes, "OK");
  EXPECT_EQ(probe(node.port(), "", "::1").bytes, "OK");
}

TEST(Life, RestoreIsStillWaitingWhileNoProbeComes) {
  LbhcNode node("hc_timeout = 60");
  Process restore = node.start("restore");
  ASSERT_TRUE(wait_until([&] { return node.node().daemon("app1") != 0; }));
  ASSERT_TRUE(wait_until([&] { return !node.node().status("app1").empty(); }));
  EXPECT_THAT(node.node().status("app1"), HasSubstr("\"phase\":\"starting\""));
  EXPECT_TRUE(restore.running());
  EXPECT_EQ(node.state(), "");
}

TEST(Life, WithoutAProbeRestoreFailsAndUndoesEverything) {
  LbhcNode node("hc_timeout = 0.2");
  const Result result = node.run("restore");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no probe on port " + std::to_string(node.port()) +
                                    " within 0.2 s (zero connections)"));
  EXPECT_FALSE(accepts(node.port()));
  EXPECT_EQ(node.state(), "OSF");
  EXPECT_THAT(node.node().run_files(), ElementsAre("app1.state"));
}

TEST(Life, RestoreNeedNotWait) {
  LbhcNode node("hc_timeout = 60\nwait_first_probe = false");
  EXPECT_EQ(node.run("restore").exit_code, 0);
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  EXPECT_THAT(node.node().status("app1"), HasSubstr("\"probes\":0"));
}

// They are read by the agent alone, and what is wrong in them is its own affair.
TEST(Life, TheAgentsTablesHinderNobody) {
  LbhcNode node(
      "hc_timeout = 60\n[agent]\nno_such = 1\n[monitor.\"no name\"]\n"
      "kind = 5\n[monitor.db]");
  node.node().settings("[agent]\nno_such = 1\n[agent.lbhc]\nenabled = 1\n[group.\"a b\"]\n");
  for (const char* action : {"restore", "quickCheck", "recover", "remove"}) {
    const Result result = node.probed(action);
    EXPECT_EQ(result.exit_code, 0) << action << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("no_such"))) << action;
  }
  for (const char* command : {"list", "status"}) {
    const Result result = node.node().run({"genapp", command, "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("app1"));
    EXPECT_EQ(result.err, "");
  }
  EXPECT_EQ(node.node().run({"genapp", "delete", "-t", "lb"}).exit_code, 0);
}

TEST(Life, TheDaemonIsItsOwnSessionWithoutTheCallersDescriptors) {
  LbhcNode node;
  node.restore();
  const std::string proc = "/proc/" + std::to_string(node.node().daemon("app1"));
  EXPECT_EQ(std::filesystem::read_symlink(proc + "/cwd"), "/");
  for (const char* stream : {"0", "1", "2"}) {
    EXPECT_EQ(std::filesystem::read_symlink(proc + "/fd/" + stream), "/dev/null");
  }
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
    EXPECT_THAT(std::filesystem::read_symlink(entry).string(), Not(HasSubstr("memfd")));
  }
}

TEST(Life, RestoreEndsACommandSubstitution) {
  // $(restore …) waits for the end of its standard output: a daemon that keeps it would hang it.
  LbhcNode node("wait_first_probe = false");
  const Result result = node.node().run(
      {"/bin/sh", "-c", "x=$(" + program("restore") + " -t lb -i app1 2>&1); echo done"});
  EXPECT_EQ(result.out, "done\n");
}

TEST(Life, ASecondRestoreIsRefusedAndChangesNothing) {
  LbhcNode node;
  node.restore();
  const pid_t before = node.node().daemon("app1");
  const Result second = node.run("restore");
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("already running"));
  EXPECT_EQ(node.node().daemon("app1"), before);
  EXPECT_EQ(node.state(), "ISP");
}

TEST(Life, ASecondRestoreIsFineWhenSaidSo) {
  LbhcNode node("already_running = \"ok\"");
  node.restore();
  const pid_t before = node.node().daemon("app1");
  const Result second = node.run("restore");
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(node.node().daemon("app1"), before);
}

TEST(Life, ASecondRestoreIsNotFineWhenThePortHasChanged) {
  LbhcNode node("already_running = \"ok\"");
  node.restore();
  const Port other;
  node.node().lbhc("lb", "app1", other.text() + " OK", "already_running = \"ok\"");
  const Result second = node.run("restore");
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("on port " + std::to_string(node.port())));
}

TEST(Life, NoProbeRaisesTheFlagAndAProbeClearsIt) {
  LbhcNode node("hc_timeout = 0.2");
  node.restore();
  ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
  EXPECT_THAT(read_file(node.node().run_file("app1-hc-ng")),
              HasSubstr("\"cause\":\"stopped after 1 probe at 20"));
  const Result sick = node.run("quickCheck");
  EXPECT_EQ(sick.exit_code, 1);
  EXPECT_THAT(sick.err, HasSubstr("no probe for HC_TIMEOUT: stopped after 1 probe at 20"));
  accepts(node.port());
  EXPECT_TRUE(wait_until([&] { return !node.node().has("app1-hc-ng"); }));
}

// The bound is 25 times HC_TIMEOUT: it does not ask for speed, but for a clock that a cleared flag
// has set going again.
TEST(Life, TheFlagComesAgainWhenProbesStopAgain) {
  LbhcNode node("hc_timeout = 0.2");
  node.restore();
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }, std::chrono::seconds(5)));
    accepts(node.port());
    ASSERT_TRUE(wait_until([&] { return !node.node().has("app1-hc-ng"); }));
  }
}

TEST(Life, NeverProbedIsSaidSo) {
  LbhcNode node("hc_timeout = 0.1\nwait_first_probe = false");
  EXPECT_EQ(node.run("restore").exit_code, 0);
  ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
  EXPECT_THAT(read_file(node.node().run_file("app1-hc-ng")),
              HasSubstr("\"cause\":\"never probed\""));
}

TEST(Life, TheFlagCanBeAWarningOrNothing) {
  for (const std::string word : {"warn", "ignore"}) {
    LbhcNode node("hc_timeout = 0.1\nwait_first_probe = false\non_no_probe = \"" + word + "\"");
    EXPECT_EQ(node.run("restore").exit_code, 0);
    ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
    const Result result = node.run("quickCheck");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const bool warned = result.err.find("warning: no probe") != std::string::npos;
    EXPECT_EQ(warned, word == "warn") << result.err;
  }
}

TEST(Life, HcTimeoutFromTheEnvironmentComesFirst) {
  LbhcNode node("hc_timeout = 60");
  node.node().env["HC_TIMEOUT"] = "0.1";
  const Result result = node.run("restore");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("within 0.1 s"));
}

TEST(Life, QuickCheckLooksAwayUnlessTheStateIsIsp) {
  LbhcNode node;
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);  // never restored: OSU
  node.restore();
  ::kill(node.node().daemon("app1"), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node.node().daemon("app1") == 0; }));
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
  for (const char* state : {"ISU\n", "OSF\n"}) {
    write_file(node.node().run_file("app1.state"), state);
    EXPECT_EQ(node.run("quickCheck").exit_code, 0) << state;
  }
  write_file(node.node().run_file("app1.state"), "IS");
  const Result garbage = node.run("quickCheck");
  EXPECT_EQ(garbage.exit_code, 1);
  EXPECT_THAT(garbage.err, HasSubstr("app1.state holds \"IS\""));
}

TEST(Life, RecoverRestartsADeadDaemon) {
  LbhcNode node;
  node.restore();
  ::kill(node.node().daemon("app1"), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node.node().daemon("app1") == 0; }));
  const Result result = node.probed("recover");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
}

TEST(Life, RecoverRebindsAfreshWhenTheFlagIsUp) {
  LbhcNode node("hc_timeout = 0.5");
  node.restore();
  const pid_t before = node.node().daemon("app1");
  ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
  Process recover = node.start("recover");
  // A probe to the old daemon would clear its flag, and there would be nothing to recover.
  ASSERT_TRUE(wait_until([&] { return !process_exists(before); }));
  ASSERT_TRUE(wait_until([&] { return accepts(node.port()); }));
  const Result result = recover.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(node.node().daemon("app1"), before);
}

TEST(Life, RecoverFailsWithoutAProbeAndQuickCheckGoesOnSayingSo) {
  LbhcNode node("hc_timeout = 0.2");
  node.restore();
  ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
  const Result result = node.run("recover");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("zero connections"));
  EXPECT_FALSE(accepts(node.port()));
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
}

TEST(Life, RecoverLeavesAHealthyDaemonAlone) {
  LbhcNode node;
  node.restore();
  const pid_t before = node.node().daemon("app1");
  EXPECT_EQ(node.run("recover").exit_code, 0);
  EXPECT_EQ(node.node().daemon("app1"), before);
}

TEST(Life, RecoverNoneAnswers1AtOnce) {
  LbhcNode node("recover = \"none\"");
  node.restore();
  const pid_t before = node.node().daemon("app1");
  EXPECT_EQ(node.run("recover").exit_code, 1);
  EXPECT_EQ(node.node().daemon("app1"), before);
}

TEST(Life, RecoverNeverStartsWhatIsOutOfService) {
  LbhcNode node;
  const Result result = node.run("recover");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("the state is OSU"));
  EXPECT_FALSE(accepts(node.port()));
}

TEST(Life, AStoppedDaemonIsHungNotHealthy) {
  LbhcNode node;
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  ::kill(daemon, SIGSTOP);
  const Result result = node.run("quickCheck");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("hangs"));
  const Result recovered = node.probed("recover");
  EXPECT_EQ(recovered.exit_code, 0) << recovered.err;
  EXPECT_FALSE(process_exists(daemon));
}

TEST(Life, RemoveTakesEverythingAway) {
  LbhcNode node;
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  const Result result = node.run("remove");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_FALSE(process_exists(daemon));
  EXPECT_FALSE(accepts(node.port()));
  EXPECT_THAT(node.node().run_files(), IsEmpty());
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
}

TEST(Life, RemoveOfWhatIsGoneSucceeds) {
  LbhcNode node;
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_THAT(node.node().run_files(), IsEmpty());
  node.restore();
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_EQ(node.run("remove").exit_code, 0);
}

TEST(Life, RemoveCutsInOnARestoreThatWaits) {
  LbhcNode node("hc_timeout = 60");
  Process restore = node.start("restore");
  ASSERT_TRUE(wait_until([&] { return node.node().daemon("app1") != 0; }));
  EXPECT_EQ(node.run("remove").exit_code, 0);
  const Result result = restore.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(node.node().daemon("app1"), 0);
  EXPECT_FALSE(accepts(node.port()));
}

TEST(Life, RemoveEndsAHungDaemon) {
  LbhcNode node;
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  ::kill(daemon, SIGSTOP);
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_FALSE(process_exists(daemon));
  EXPECT_THAT(node.node().run_files(), IsEmpty());
}

TEST(Life, RemoveDrainsFirst) {
  LbhcNode node("protocol = \"http\"\ndrain = 60");
  node.restore();
  Process remove = node.start("remove");
  ASSERT_TRUE(wait_until([&] {
    return probe(node.port(), "GET / HTTP/1.0\r\n\r\n").bytes.find("503") != std::string::npos;
  }));
  EXPECT_TRUE(remove.running());
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  ::kill(node.node().daemon("app1"), SIGTERM);  // an impatient administrator
  EXPECT_EQ(remove.wait().exit_code, 0);
  EXPECT_THAT(node.node().run_files(), IsEmpty());
}

TEST(Life, ADrainEndsByItself) {
  LbhcNode node("drain = 0.2");
  node.restore();
  const Result result = node.run("remove");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("draining for 0.2 s"));
  EXPECT_THAT(node.node().log(), HasSubstr("drained: stopping"));
}

TEST(Life, AnHcTimeoutTooShortForTheBalancerIsWarnedOf) {
  LbhcNode node("hc_timeout = 0.1\nlb_profile = \"aws-nlb\"");
  EXPECT_THAT(node.run("restore").err, HasSubstr("shorter than aws-nlb's probe interval"));
  LbhcNode fine("hc_timeout = 60\nlb_profile = \"aws-nlb\"\nwait_first_probe = false");
  EXPECT_THAT(fine.run("restore").err, Not(HasSubstr("shorter")));
}

TEST(Life, TheLogFileIsOpenedAnewOnHup) {
  LbhcNode node("wait_first_probe = false");
  node.restore();
  std::filesystem::rename(node.node().log_file(), node.node().log_file() + ".1");
  ::kill(node.node().daemon("app1"), SIGHUP);
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(node.node().log_file()); }));
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_THAT(node.node().log(), HasSubstr("stopping: TERM"));
}

TEST(Life, CopiedAndRenamedExecutablesWork) {
  LbhcNode node("wait_first_probe = false");
  const TempDir elsewhere;
  for (const char* name : {"restore", "quickCheck", "remove"}) {
    const std::string copy = elsewhere / (std::string("!") + name + "-lb");
    std::filesystem::copy_file(program(name), copy);
    const Result result = node.node().run({copy, "-t", "lb", "-i", "app1"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr(std::string("BEGIN ") + name));
  }
}

TEST(Life, AnEmptyEnvironmentIsEnough) {
  LbhcNode node("wait_first_probe = false");
  const std::string run_dir = "GENAPP_RUN_DIR=" + node.node().run_dir();
  const std::string config_dir = "GENAPP_CONFIG_DIR=" + node.node().config_dir();
  const Result result = node.node().run(
      {"/usr/bin/env", "-i", run_dir, config_dir, program("restore"), "-t", "lb", "-i", "app1"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

}  // namespace
}  // namespace genapp::tests
