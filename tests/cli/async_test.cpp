// A resource of type script whose restore is the application itself: start = "async".

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/script_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Runs until it is told to end, and says so.
constexpr char kServer[] =
    "trap 'echo ending; rm -f \"$here/up\"; exit 0' TERM\n"
    "echo $$ > \"$here/up\"; echo serving\n"
    "while :; do sleep 0.02; done";

class Async : public testing::Test {
 protected:
  explicit Async(const std::string& keys = "")
      : node_("start = \"async\"\nstarted_after = 0.1\nkill_after = 0.5\n" + keys) {
    std::filesystem::remove(node_.script_path("remove"));
    node_.script("restore", kServer);
  }
  ~Async() override {
    node_.script("remove", "exit 0");
    node_.run("remove");
  }

  void start() {
    const Result restored = node_.run("restore");
    ASSERT_EQ(restored.exit_code, 0) << restored.err;
    ASSERT_EQ(node_.state(), "ISP");
    ASSERT_TRUE(wait_until([this] { return !node_.content("up").empty(); }));
  }
  void take_long_to_start() {
    node_.node().resource_file("web", "type = \"script\"\nid = \"web1\"\n[script]\nfolder = \"" +
                                          node_.path("scripts") +
                                          "\"\nstart = \"async\"\nstarted_after = 60\n");
  }
  pid_t application() const { return std::stoi(node_.content("up")); }
  // Zero for none.
  pid_t supervisor() const { return node_.node().daemon("web1"); }
  static void send(pid_t pid, int signal) {
    ASSERT_GT(pid, 0);
    ASSERT_EQ(::kill(pid, signal), 0);
  }
  bool becomes_unhealthy() const {
    return wait_until([this] { return node_.run("quickCheck").exit_code == 1; });
  }
  std::string log() const { return node_.node().log(); }

  ScriptNode node_;
};

// The kernel forgets whom to end with whom when a process changes its user.
class AsyncUser : public Async {
 protected:
  AsyncUser() : Async(::geteuid() == 0 ? "user = \"nobody\"\n" : "") {}
};

class AsyncRestart : public Async {
 protected:
  AsyncRestart() : Async("restart = true\n") {}
};

TEST_F(Async, RunsUntilItIsRemoved) {
  start();
  const Result check = node_.run("quickCheck");
  EXPECT_EQ(check.exit_code, 0);
  EXPECT_THAT(check.err, HasSubstr("its command runs"));
  const pid_t pid = application();
  EXPECT_TRUE(process_exists(pid));
  EXPECT_NE(supervisor(), 0);
  EXPECT_TRUE(wait_until([this] { return log().find("stdout: serving") != std::string::npos; }));

  const Result removed = node_.run("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_FALSE(process_exists(pid));
  EXPECT_EQ(node_.content("up"), "");  // it was asked, not killed
  EXPECT_THAT(log(), HasSubstr("stdout: ending"));
  EXPECT_THAT(node_.node().run_files(), IsEmpty());
  EXPECT_EQ(node_.run("remove").exit_code, 0);
  start();
}

TEST_F(Async, GivesTheCommandItsEnvironment) {
  node_.script("restore", "env > \"$here/env\"; printf '%s|' \"$@\" > \"$here/args\"\n" +
                              std::string(kServer));
  start();
  EXPECT_EQ(node_.content("args"), "-t|web|-i|web1|");
  for (const char* const line : {"\nGENAPP_TAG=web\n", "\nGENAPP_ACTION=restore\n"}) {
    EXPECT_THAT("\n" + node_.content("env"), HasSubstr(line));
  }
}

TEST_F(Async, QuickCheckTellsHowItEnded) {
  node_.script("restore",
               "echo up > \"$here/up\"\n"
               "while ! [ -e \"$here/end\" ]; do sleep 0.02; done\n"
               "echo 'no more disk' >&2; exit 7");
  start();
  write_file(node_.path("end"), "");
  ASSERT_TRUE(becomes_unhealthy());
  EXPECT_TRUE(wait_until([this] { return supervisor() == 0; }));
  const Result check = node_.run("quickCheck");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, ContainsRegex("its process [0-9]+ exited with 7, and last said: "
                                       "no more disk, at 20[0-9T:.-]+Z"));
  EXPECT_THAT(log(), HasSubstr("exited with 7"));
  EXPECT_EQ(node_.state(), "ISP");
  const Result recovered = node_.run("recover");
  EXPECT_EQ(recovered.exit_code, 1);
  EXPECT_THAT(recovered.err, HasSubstr("it has no recover"));
  EXPECT_EQ(node_.run("remove").exit_code, 0);
  EXPECT_THAT(node_.node().run_files(), IsEmpty());
}

TEST_F(Async, AKilledCommandIsTold) {
  start();
  send(application(), SIGKILL);
  ASSERT_TRUE(becomes_unhealthy());
  EXPECT_TRUE(wait_until([this] { return supervisor() == 0; }));
  EXPECT_THAT(node_.run("quickCheck").err, HasSubstr("was killed by signal 9 (KILL)"));
}

TEST_F(Async, QuickCheckRunsTheUsersOwnToo) {
  node_.script("quickCheck", "test -e \"$here/well\"");
  start();
  EXPECT_EQ(node_.run("quickCheck").exit_code, 1);
  write_file(node_.path("well"), "");
  EXPECT_EQ(node_.run("quickCheck").exit_code, 0);
}

TEST_F(Async, ACommandThatEndsAtOnceHasNotStarted) {
  node_.script("restore", "echo 'line 3: unknown key'; exit 2");
  const Result restored = node_.run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err,
              ContainsRegex("process [0-9]+ exited with 2, and last said: line 3: unknown key\n"));
  EXPECT_EQ(node_.state(), "OSF");
  EXPECT_EQ(node_.run("quickCheck").exit_code, 0);
  EXPECT_FALSE(node_.node().has("web1.pid"));
  EXPECT_FALSE(node_.node().has("web1.app"));
}

TEST_F(Async, EndingInOrderAtOnceIsNoStartEither) {
  node_.script("restore", "exit 0");
  const Result restored = node_.run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, ContainsRegex("process [0-9]+ exited with 0"));
}

TEST_F(Async, ACommandThatCannotBeExecutedIsNamed) {
  std::filesystem::permissions(node_.script_path("restore"), std::filesystem::perms(0644));
  const Result restored = node_.run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, HasSubstr(node_.script_path("restore")));
  EXPECT_EQ(node_.state(), "OSF");
  EXPECT_FALSE(node_.node().has("web1.pid"));
}

TEST_F(Async, ASecondRestoreFailsAndHarmsNothing) {
  start();
  const pid_t pid = application();
  const Result again = node_.run("restore");
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("already running"));
  EXPECT_EQ(node_.state(), "ISP");
  EXPECT_EQ(node_.run("quickCheck").exit_code, 0);
  EXPECT_TRUE(process_exists(pid));
}

TEST_F(Async, WithItsSupervisorTheCommandEndsAndNothingStaysBehind) {
  node_.script("restore",
               "setsid sh -c 'trap \"\" TERM; echo > \"$0/child\"; sleep 60' \"$here\" &\n" +
                   std::string(kServer));
  start();
  ASSERT_TRUE(wait_until([this] { return std::filesystem::exists(node_.path("child")); }));
  const pid_t pid = application();
  send(supervisor(), SIGKILL);
  ASSERT_TRUE(becomes_unhealthy());
  EXPECT_THAT(node_.run("quickCheck").err, HasSubstr("its supervisor is gone"));
  EXPECT_TRUE(wait_until([pid] { return !process_exists(pid); }));
  EXPECT_THAT(node_.processes(), Not(IsEmpty()));  // the grandchild
  EXPECT_EQ(node_.run("remove").exit_code, 0);
  EXPECT_THAT(node_.processes(), IsEmpty());
  EXPECT_THAT(node_.node().run_files(), IsEmpty());
}

TEST_F(Async, ARestoreAfterAKilledSupervisorEndsWhatIsLeftAndStartsAnew) {
  node_.script("restore", "setsid sh -c 'echo $$ > \"$0/child\"; exec sleep 60' \"$here\" &\n" +
                              std::string(kServer));
  start();
  ASSERT_TRUE(wait_until([this] { return !node_.content("child").empty(); }));
  const pid_t child = std::stoi(node_.content("child"));
  send(supervisor(), SIGKILL);
  ASSERT_TRUE(becomes_unhealthy());
  std::filesystem::remove(node_.path("up"));
  ASSERT_TRUE(process_exists(child));
  start();
  EXPECT_FALSE(process_exists(child));
  EXPECT_EQ(node_.run("quickCheck").exit_code, 0);
}

// One that the kernel gives no time, or that a debugger holds, can't say that the command has
// ended.
TEST_F(Async, AStoppedSupervisorHidesNothingAndIsEnded) {
  start();
  const pid_t stopped = supervisor();
  const pid_t pid = application();
  send(stopped, SIGSTOP);
  EXPECT_EQ(node_.run("quickCheck").exit_code, 0);
  send(pid, SIGKILL);
  ASSERT_TRUE(becomes_unhealthy());
  EXPECT_THAT(node_.run("quickCheck").err, HasSubstr("has not said how"));
  EXPECT_EQ(node_.run("remove").exit_code, 0);
  EXPECT_FALSE(process_exists(stopped));
  EXPECT_THAT(node_.node().run_files(), IsEmpty());
}

TEST_F(Async, AStubbornCommandIsKilledWithAllThatItStarted) {
  node_.script("restore",
               "trap '' TERM\nsetsid sh -c 'trap \"\" TERM; sleep 60' &\n"
               "echo $$ > \"$here/up\"\nwhile :; do sleep 0.02; done");
  start();
  EXPECT_EQ(node_.run("remove").exit_code, 0);
  EXPECT_THAT(node_.processes(), IsEmpty());
}

TEST_F(Async, WhatACommandLeavesRunningIsEndedWithIt) {
  node_.script("restore", "setsid sleep 60 &\n" + std::string(kServer));
  start();
  send(application(), SIGKILL);
  ASSERT_TRUE(becomes_unhealthy());
  EXPECT_TRUE(wait_until([this] { return node_.processes().empty(); }));
}

TEST_F(Async, ARemoveScriptComesFirstAndIsNotTrustedAlone) {
  start();
  node_.script("remove", "kill -0 \"$(cat \"$here/up\")\" && echo first > \"$here/order\"");
  const pid_t pid = application();
  EXPECT_EQ(node_.run("remove").exit_code, 0);
  EXPECT_EQ(node_.content("order"), "first\n");
  EXPECT_FALSE(process_exists(pid));
}

TEST_F(Async, ARemoveScriptThatFailsIsToldAndTheCommandEndsAllTheSame) {
  start();
  node_.script("remove", "exit 3");
  const pid_t pid = application();
  const Result removed = node_.run("remove");
  EXPECT_EQ(removed.exit_code, 1);
  EXPECT_THAT(removed.err, HasSubstr("exited with 3"));
  EXPECT_FALSE(process_exists(pid));
  EXPECT_EQ(node_.state(), "ISP");
  EXPECT_EQ(node_.run("quickCheck").exit_code, 1);
}

TEST_F(Async, ARemoveEndsARestoreThatIsAtWork) {
  take_long_to_start();
  Process restoring = node_.start("restore");
  ASSERT_TRUE(wait_until([this] { return !node_.content("up").empty(); }));
  EXPECT_EQ(node_.run("remove").exit_code, 0);
  EXPECT_EQ(restoring.wait().exit_code, 1);
  EXPECT_THAT(restoring.err(), HasSubstr("its start was ended"));
  EXPECT_THAT(node_.processes(), IsEmpty());
  EXPECT_EQ(supervisor(), 0);
}

TEST_F(Async, AKilledRestoreLeavesNothingRunning) {
  take_long_to_start();
  Process restoring = node_.start("restore");
  ASSERT_TRUE(wait_until([this] { return !node_.content("up").empty(); }));
  restoring.signal(SIGKILL);
  restoring.wait();
  EXPECT_TRUE(wait_until([this] { return node_.processes().empty() && supervisor() == 0; }));
  EXPECT_TRUE(wait_until([this] { return !node_.node().has("web1.pid"); }));
}

TEST_F(Async, ItsLogIsOpenedAnewOnHup) {
  start();
  ASSERT_TRUE(wait_until([this] { return log().find("runs as process") != std::string::npos; }));
  const std::string file = node_.node().log_file();
  std::filesystem::rename(file, file + ".1");
  send(supervisor(), SIGHUP);
  ASSERT_TRUE(wait_until([this] { return std::filesystem::exists(node_.node().log_file()); }));
  EXPECT_EQ(node_.run("quickCheck").exit_code, 0);
  EXPECT_EQ(node_.run("remove").exit_code, 0);
  EXPECT_THAT(log(), HasSubstr("stdout: ending"));
}

TEST_F(Async, StatusShowsTheCommandsProcess) {
  start();
  const Result shown = node_.node().run({"genapp", "status"});
  EXPECT_THAT(shown.out, HasSubstr(std::to_string(application()))) << shown.out;
}

TEST_F(AsyncUser, WithItsSupervisorTheCommandEnds) {
  start();
  const pid_t pid = application();
  send(supervisor(), SIGKILL);
  ASSERT_TRUE(becomes_unhealthy());
  EXPECT_TRUE(wait_until([pid] { return !process_exists(pid); }));
}

TEST_F(AsyncUser, IsStoppedByRemove) {
  start();
  const pid_t pid = application();
  EXPECT_EQ(node_.run("remove").exit_code, 0);
  EXPECT_FALSE(process_exists(pid));
}

TEST_F(AsyncRestart, RecoverStartsItAnew) {
  start();
  const pid_t before = application();
  send(before, SIGKILL);
  ASSERT_TRUE(becomes_unhealthy());
  node_.script("recover", "echo tidied > \"$here/tidied\"");
  std::filesystem::remove(node_.path("up"));
  const Result recovered = node_.run("recover");
  EXPECT_EQ(recovered.exit_code, 0) << recovered.err;
  ASSERT_TRUE(wait_until([this] { return !node_.content("up").empty(); }));
  EXPECT_NE(application(), before);
  EXPECT_EQ(node_.content("tidied"), "tidied\n");
  EXPECT_EQ(node_.run("quickCheck").exit_code, 0);
  EXPECT_EQ(node_.state(), "ISP");
}

TEST_F(AsyncRestart, RecoverReplacesOneThatStillRuns) {
  start();
  const pid_t before = application();
  EXPECT_EQ(node_.run("recover").exit_code, 0);
  EXPECT_FALSE(process_exists(before));
  EXPECT_EQ(node_.run("quickCheck").exit_code, 0);
}

TEST_F(AsyncRestart, ARecoverThatFailsSaysWhyAndLeavesItUnhealthy) {
  start();
  node_.script("restore", "exit 9");
  const Result recovered = node_.run("recover");
  EXPECT_EQ(recovered.exit_code, 1);
  EXPECT_THAT(recovered.err, HasSubstr("exited with 9"));
  EXPECT_EQ(node_.run("quickCheck").exit_code, 1);
  EXPECT_EQ(node_.state(), "ISP");
}

TEST_F(AsyncRestart, WhatIsOutOfServiceIsNotRecovered) {
  const Result recovered = node_.run("recover");
  EXPECT_EQ(recovered.exit_code, 1);
  EXPECT_THAT(recovered.err, HasSubstr("only a resource in service can be recovered"));
  EXPECT_THAT(node_.processes(), IsEmpty());
}

}  // namespace
}  // namespace genapp::tests
