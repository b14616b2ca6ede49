// After SIGKILL of anything, and with what a crash leaves: the next remove and restore work.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "common/process.hpp"
#include "tests/support/lbhc_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

void expect_remove_and_restore_work(LbhcNode& node) {
  const Result removed = node.run("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_THAT(node.node().run_files(), IsEmpty());
  EXPECT_FALSE(accepts(node.port()));
  node.restore();
  EXPECT_EQ(probe(node.port()).bytes, "OK");
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
}

void kill_daemon(LbhcNode& node) {
  ::kill(node.node().daemon("app1"), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node.node().daemon("app1") == 0; }));
}

TEST(Crash, AKilledDaemonIsFoundAndItsFilesAreNoHindrance) {
  LbhcNode node;
  node.restore();
  kill_daemon(node);
  EXPECT_TRUE(node.node().has("app1.pid"));
  EXPECT_TRUE(node.node().has("app1.sock"));
  const Result check = node.run("quickCheck");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, HasSubstr("the daemon is not running"));
  expect_remove_and_restore_work(node);
}

TEST(Crash, RestoreAloneAlsoGetsOverAKilledDaemonAndItsFlag) {
  LbhcNode node("hc_timeout = 0.3");
  node.restore();
  ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
  kill_daemon(node);
  EXPECT_TRUE(node.node().has("app1-hc-ng"));
  // A flag that quickCheck sees is the old one: the new daemon's own would take longer than the
  // test.
  node.node().lbhc("lb", "app1", std::to_string(node.port()) + " OK", "hc_timeout = 60");
  Process restore = node.start("restore");
  ASSERT_TRUE(wait_until([&] { return accepts(node.port()); }));
  EXPECT_EQ(restore.wait().exit_code, 0) << restore.err();
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
}

TEST(Crash, AStalePidFileThatNamesAnotherProcessHurtsNobody) {
  LbhcNode node;
  Process sleeper(Command{{"/bin/sh", "-c", "exec tail -f /dev/null"}});
  const auto ticks = common::start_ticks(sleeper.pid());
  ASSERT_TRUE(ticks);
  // Even with the stranger's true start time: without the lock it is nobody's.
  write_file(node.node().run_file("app1.pid"),
             std::to_string(sleeper.pid()) + " " + std::to_string(*ticks) + "\n");
  write_file(node.node().run_file("app1.state"), "ISP\n");
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_TRUE(sleeper.running());
  node.restore();
  EXPECT_TRUE(sleeper.running());
  EXPECT_NE(node.node().daemon("app1"), sleeper.pid());
}

TEST(Crash, GarbageInThePidFileIsNoHindrance) {
  for (const std::string garbage : {"", "x", "99999999999999999999 1\n", "-1 5\n", "1"}) {
    LbhcNode node;
    write_file(node.node().run_file("app1.pid"), garbage);
    write_file(node.node().run_file("app1-hc-ng"), "");
    expect_remove_and_restore_work(node);
  }
}

TEST(Crash, AWriteThatWasKilledBeforeItsRenameLeavesNothing) {
  LbhcNode node;
  write_file(node.node().run_file("app1.lock"), "");
  write_file(node.node().run_file(".app1.state.new"), "IS");
  write_file(node.node().run_file(".app1-hc-ng.new"), "{");
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  expect_remove_and_restore_work(node);
}

TEST(Crash, AKilledRestoreLeavesNoDaemonBehind) {
  LbhcNode node("hc_timeout = 60");
  Process restore = node.start("restore");
  ASSERT_TRUE(wait_until([&] { return !node.node().status("app1").empty(); }));
  ::kill(restore.pid(), SIGKILL);
  restore.wait();
  EXPECT_TRUE(wait_until([&] { return node.node().daemon("app1") == 0; }));
  EXPECT_FALSE(accepts(node.port()));
  expect_remove_and_restore_work(node);
}

TEST(Crash, AnInterruptedRestoreLeavesNoDaemonBehind) {
  LbhcNode node("hc_timeout = 60");
  Process restore = node.start("restore");
  ASSERT_TRUE(wait_until([&] { return !node.node().status("app1").empty(); }));
  ::kill(restore.pid(), SIGINT);
  EXPECT_EQ(restore.wait().signal, SIGINT);
  EXPECT_TRUE(wait_until([&] { return node.node().daemon("app1") == 0; }));
}

TEST(Crash, ADaemonKilledWhileRestoreWaitsFailsTheRestore) {
  LbhcNode node("hc_timeout = 60");
  Process restore = node.start("restore");
  ASSERT_TRUE(wait_until([&] { return node.node().daemon("app1") != 0; }));
  ::kill(node.node().daemon("app1"), SIGKILL);
  const Result result = restore.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("error: "));
  expect_remove_and_restore_work(node);
}

TEST(Crash, AKilledRemoveLeavesWorkForTheNext) {
  LbhcNode node("drain = 60");
  node.restore();
  Process remove = node.start("remove");
  ASSERT_TRUE(
      wait_until([&] { return node.node().status("app1").find("draining") != std::string::npos; }));
  ::kill(remove.pid(), SIGKILL);
  remove.wait();
  node.node().lbhc("lb", "app1", std::to_string(node.port()) + " OK");
  expect_remove_and_restore_work(node);
}

TEST(Crash, AKilledRecoverLeavesNoDaemonThatNobodyNoted) {
  LbhcNode node("hc_timeout = 30");
  node.restore();
  kill_daemon(node);
  Process recover = node.start("recover");
  ASSERT_TRUE(wait_until([&] { return node.node().daemon("app1") != 0; }));
  ::kill(recover.pid(), SIGKILL);
  recover.wait();
  EXPECT_TRUE(wait_until([&] { return node.node().daemon("app1") == 0; }));
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
  expect_remove_and_restore_work(node);
}

TEST(Crash, ADaemonWhosePidFileIsDeletedEndsItself) {
  LbhcNode node("hc_timeout = 0.2");
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  std::filesystem::remove(node.node().run_file("app1.pid"));
  EXPECT_TRUE(wait_until([&] { return !process_exists(daemon); }));
  EXPECT_FALSE(accepts(node.port()));
}

TEST(Crash, AFrozenDaemonCountsTheProbesThatCameMeanwhile) {
  LbhcNode node("hc_timeout = 0.3");
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  ::kill(daemon, SIGSTOP);
  Client waiting("127.0.0.1", node.port());  // the kernel accepts it for the frozen daemon
  // Longer than HC_TIMEOUT: its timer and the connection are both due when it goes on.
  wait_until([] { return false; }, std::chrono::milliseconds(500));
  const std::string before = node.node().log();
  ::kill(daemon, SIGCONT);
  EXPECT_EQ(waiting.receive().bytes, "OK");
  EXPECT_EQ(node.node().log().substr(before.size()).find("warning: no probe"), std::string::npos)
      << node.node().log();
}

}  // namespace
}  // namespace genapp::tests
