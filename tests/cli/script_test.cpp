// A resource of type script, in the order of a user's life.

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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// What an application's script leaves running: a process that minds neither TERM nor its session.
constexpr char kStubborn[] =
    "setsid sh -c 'trap \"\" TERM; echo up > \"$0/up\"; sleep 60' \"$here\" &\n"
    "while ! [ -e \"$here/up\" ]; do sleep 0.01; done\n";

TEST(ScriptLife, GoesThroughAllFour) {
  ScriptNode node;
  node.script("restore", "echo on > \"$here/app\"; echo starting");
  node.script("quickCheck", "test -e \"$here/app\" || { echo 'the file is gone'; exit 3; }");
  node.script("recover", "echo again > \"$here/app\"");
  node.script("remove", "rm -f \"$here/app\"");

  EXPECT_EQ(node.run("quickCheck").exit_code, 0);  // out of service
  const Result restored = node.run("restore");
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_THAT(restored.err, HasSubstr("info: \"web\" stdout: starting\n"));
  EXPECT_EQ(node.state(), "ISP");
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);

  std::filesystem::remove(node.path("app"));
  const Result check = node.run("quickCheck");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, HasSubstr("exited with 3, and last said: the file is gone\n"));
  EXPECT_EQ(node.run("recover").exit_code, 0);
  EXPECT_EQ(node.content("app"), "again\n");
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);

  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_THAT(node.node().run_files(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(node.path("app")));
  EXPECT_EQ(node.run("recover").exit_code, 1);
  EXPECT_EQ(node.run("remove").exit_code, 0);
}

TEST(ScriptLife, GivesTheScriptItsEnvironmentAndNoOther) {
  ScriptNode node;
  node.node().env["GENAPP_STRANGE"] = "x";
  node.node().env["CLP_EVENT"] = "FAILOVER";
  node.script("restore",
              "printf '%s|' \"$@\" > \"$here/args\"; env > \"$here/env\"; pwd >> \"$here/args\"");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  EXPECT_EQ(node.content("args"), "-t|web|-i|web1|/\n");
  const std::string env = "\n" + node.content("env");
  for (const std::string line :
       {"GENAPP_TAG=web", "GENAPP_ID=web1", "GENAPP_INFO=8080 some info", "GENAPP_ACTION=restore",
        "GENAPP_EVENT=START", "CLP_EVENT=FAILOVER", "CLP_DISK=SUCCESS", "CLP_SERVER=HOME",
        "CLP_FACTOR="}) {
    EXPECT_THAT(env, HasSubstr("\n" + line + "\n"));
  }
  EXPECT_THAT(env, Not(HasSubstr("GENAPP_STRANGE")));
  EXPECT_THAT(env, Not(HasSubstr("GENAPP_RUN_DIR")));
}

TEST(ScriptLife, WithoutQuickCheckItIsAlwaysHealthyAndWithoutRecoverItFailsOver) {
  ScriptNode node;
  ASSERT_EQ(node.run("restore").exit_code, 0);
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  const Result recovered = node.run("recover");
  EXPECT_EQ(recovered.exit_code, 1);
  EXPECT_THAT(recovered.err, HasSubstr("it has no recover"));
}

TEST(ScriptLife, AnyOtherExitCodeThanZeroIsOne) {
  ScriptNode node;
  node.script("quickCheck", "exit \"$(cat \"$here/code\")\"");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  for (const int code : {1, 2, 64, 126, 127, 128, 255}) {
    write_file(node.path("code"), std::to_string(code));
    const Result check = node.run("quickCheck");
    EXPECT_EQ(check.exit_code, 1);
    EXPECT_THAT(check.err, HasSubstr("exited with " + std::to_string(code)));
  }
}

TEST(ScriptLife, AScriptThatASignalKillsHasFailed) {
  ScriptNode node;
  for (const char* const signal : {"HUP", "ABRT", "KILL", "SEGV", "TERM"}) {
    node.script("restore", std::string("kill -") + signal + " $$");
    const Result restored = node.run("restore");
    EXPECT_EQ(restored.exit_code, 1);
    EXPECT_THAT(restored.err,
                ContainsRegex(std::string("was killed by signal [0-9]+ \\(") + signal));
    EXPECT_EQ(node.state(), "OSF");
  }
}

TEST(ScriptLife, AFailedRestoreIsNotWatchedAndAFailedSecondOneStaysWatched) {
  ScriptNode node;
  node.script("quickCheck", "exit 5");
  node.script("restore", "exit 1");
  EXPECT_EQ(node.run("restore").exit_code, 1);
  EXPECT_EQ(node.state(), "OSF");
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  node.script("restore", "exit 0");
  EXPECT_EQ(node.run("restore").exit_code, 0);
  node.script("restore", "exit 1");
  EXPECT_EQ(node.run("restore").exit_code, 1);
  EXPECT_EQ(node.state(), "ISP");
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
}

TEST(ScriptLife, AFailedRemoveLeavesTheStateAsItIs) {
  ScriptNode node;
  node.script("remove", "echo 'device is busy' >&2; exit 9");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  const Result removed = node.run("remove");
  EXPECT_EQ(removed.exit_code, 1);
  EXPECT_THAT(removed.err, HasSubstr("exited with 9, and last said: device is busy\n"));
  EXPECT_EQ(node.state(), "ISP");
}

TEST(ScriptLife, CopiedAndRenamedExecutablesWork) {
  ScriptNode node;
  node.script("quickCheck", "exit 4");
  const TempDir folder;
  const auto copy = [&folder](const std::string& name) {
    const std::string path = folder / ("web-" + name);
    std::filesystem::copy_file(program(name), path);
    return path;
  };
  EXPECT_EQ(node.node().run({copy("restore"), "-t", "web", "-i", "web1", "--", "more"}).exit_code,
            0);
  EXPECT_EQ(node.node().run({copy("quickCheck"), "-t", "web", "-i", "web1"}).exit_code, 1);
  EXPECT_EQ(node.node().run({copy("remove"), "-t", "web", "-i", "web1"}).exit_code, 0);
}

// Too long.

TEST(ScriptTimeout, EndsTheScriptAndAllThatItStarted) {
  for (const std::string action : {"restore", "remove"}) {
    ScriptNode node(action + "_timeout = 0.5\nkill_after = 0.2");
    node.script(action, kStubborn + std::string("trap '' TERM; echo hanging; sleep 60"));
    const Result result = node.run(action);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err,
                HasSubstr("did not end within 0.5 s and was ended, and last said: hanging"));
    EXPECT_THAT(node.processes(), IsEmpty());
  }
}

TEST(ScriptTimeout, LetsTheScriptTidyUpAtTerm) {
  ScriptNode node("restore_timeout = 0.5\nkill_after = 30");
  node.script("restore",
              "trap 'echo tidied > \"$here/tidy\"; exit 0' TERM\n"
              "while :; do sleep 0.02; done");
  EXPECT_EQ(node.run("restore").exit_code, 1);
  EXPECT_EQ(node.content("tidy"), "tidied\n");
  EXPECT_THAT(node.processes(), IsEmpty());
}

TEST(ScriptTimeout, OfAQuickCheckKillsAtOnce) {
  ScriptNode node("quickcheck_timeout = 0.3\nkill_after = 3600");
  node.script("quickCheck", kStubborn + std::string("sleep 60"));
  ASSERT_EQ(node.run("restore").exit_code, 0);
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
  EXPECT_THAT(node.processes(), IsEmpty());
}

// What a script leaves.

TEST(ScriptLeftovers, OfARestoreAreTheApplication) {
  ScriptNode node;
  // It holds standard output, and prints later: neither may it hold restore up nor be killed by it.
  node.script("restore",
              "(while ! [ -e \"$here/go\" ]; do sleep 0.02; done; echo late; "
              "echo late >&2; echo alive > \"$here/alive\"; exec sleep 60) &");
  node.script("remove", "exit 0");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  EXPECT_EQ(node.content("alive"), "");
  write_file(node.path("go"), "");
  EXPECT_TRUE(wait_until([&] { return node.content("alive") == "alive\n"; }));
  // A process that is just executing another program has no environment for a moment.
  EXPECT_TRUE(wait_until([&] { return !node.processes().empty(); }));
}

// The race of a kit whose remove left a stop running in the background: it killed what the next
// restore had started (facts: lifekeeper.md).
TEST(ScriptLeftovers, OfARemoveAreWaitedFor) {
  ScriptNode node;
  node.script("remove", "(sleep 0.5; echo stopped > \"$here/stopped\") >/dev/null 2>&1 &");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_EQ(node.content("stopped"), "stopped\n");
  EXPECT_THAT(node.processes(), IsEmpty());
}

TEST(ScriptLeftovers, OfARemoveThatDoNotEndFailIt) {
  ScriptNode node("remove_timeout = 0.5\nkill_after = 0.1");
  node.script("remove", kStubborn);
  ASSERT_EQ(node.run("restore").exit_code, 0);
  EXPECT_EQ(node.run("remove").exit_code, 1);
  EXPECT_THAT(node.processes(), IsEmpty());
  EXPECT_EQ(node.state(), "ISP");
}

TEST(ScriptLeftovers, OfAQuickCheckAreEnded) {
  ScriptNode node;
  node.script("quickCheck", kStubborn);
  ASSERT_EQ(node.run("restore").exit_code, 0);
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  EXPECT_THAT(node.processes(), IsEmpty());
}

// One after the other.

TEST(ScriptTurns, ARemoveEndsARestoreThatIsAtWork) {
  ScriptNode node;
  node.script("restore", "echo on > \"$here/app\"\n" + std::string(kStubborn) + "sleep 60");
  node.script("remove", "rm -f \"$here/app\"");
  Process restore = node.start("restore");
  ASSERT_TRUE(wait_until([&] { return node.content("up") == "up\n"; }));
  const Result removed = node.run("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  const Result restored = restore.wait();
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, HasSubstr("this runner got signal 15 (TERM)"));
  EXPECT_THAT(node.processes(), IsEmpty());
  EXPECT_THAT(node.node().run_files(), IsEmpty());
}

TEST(ScriptTurns, ARestoreWaitsForTheRemoveThatIsAtWork) {
  ScriptNode node;
  node.script("restore", "echo restore >> \"$here/order\"");
  node.script("remove",
              "echo begin >> \"$here/order\"\n"
              "while ! [ -e \"$here/go\" ]; do sleep 0.02; done; echo end >> \"$here/order\"");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  Process remove = node.start("remove");
  ASSERT_TRUE(wait_until([&] { return node.content("order") == "restore\nbegin\n"; }));
  Process restore = node.start("restore");
  // A quickCheck does not judge what is being taken out.
  node.script("quickCheck", "exit 1");
  EXPECT_THAT(node.run("quickCheck").err, HasSubstr("not looked at: a remove is at work"));
  write_file(node.path("go"), "");
  EXPECT_EQ(remove.wait().exit_code, 0);
  EXPECT_EQ(restore.wait().exit_code, 0);
  EXPECT_EQ(node.content("order"), "restore\nbegin\nend\nrestore\n");
  EXPECT_EQ(node.state(), "ISP");
}

TEST(ScriptTurns, ARestoreThatWaitsTooLongSaysForWhom) {
  ScriptNode node("restore_timeout = 0.3");
  node.script("remove", "while ! [ -e \"$here/go\" ]; do sleep 0.02; done");
  Process remove = node.start("remove");
  ASSERT_TRUE(wait_until([&] { return !node.processes().empty(); }));
  const Result restored = node.run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, HasSubstr("a remove of the id \"web1\" is still at work"));
  write_file(node.path("go"), "");
  EXPECT_EQ(remove.wait().exit_code, 0);
}

// Its runner was killed, and the stop goes on: the next start ends it first.
TEST(ScriptTurns, AStopWhoseRunnerWasKilledNeverHitsTheNextStart) {
  ScriptNode node;
  node.script("restore", "echo on > \"$here/app\"");
  node.script("remove",
              "setsid sh -c 'echo up > \"$0/up\"; while ! [ -e \"$0/go\" ]; do sleep 0.02; done; "
              "rm -f \"$0/app\"' \"$here\" & wait");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  Process remove = node.start("remove");
  ASSERT_TRUE(wait_until([&] { return node.content("up") == "up\n"; }));
  remove.signal(SIGKILL);
  remove.wait();
  EXPECT_THAT(node.processes(), Not(IsEmpty()));
  EXPECT_EQ(node.run("restore").exit_code, 0);
  EXPECT_THAT(node.processes(), IsEmpty());
  EXPECT_EQ(node.content("app"), "on\n");
}

TEST(ScriptTurns, WhatAKilledRestoreLeftIsEndedByTheNextRemove) {
  ScriptNode node;
  node.script("restore", kStubborn + std::string("sleep 60"));
  Process restore = node.start("restore");
  ASSERT_TRUE(wait_until([&] { return node.content("up") == "up\n"; }));
  restore.signal(SIGKILL);
  restore.wait();
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_THAT(node.processes(), IsEmpty());
  EXPECT_THAT(node.node().run_files(), IsEmpty());
}

// What it prints.

TEST(ScriptOutput, IsLoggedInOrderWithItsStream) {
  ScriptNode node;
  node.script("restore",
              "for i in 1 2 3; do echo out$i; done; printf 'gr\\303\\274n \\377\\000\\001'; "
              "echo wrong >&2");
  const Result restored = node.run("restore");
  EXPECT_EQ(restored.exit_code, 0);
  EXPECT_THAT(restored.err, ContainsRegex("stdout: out1\n.*stdout: out2\n.*stdout: out3\n"));
  EXPECT_THAT(restored.err, HasSubstr("stdout: gr\303\274n \\xff\\x00\\x01\n"));
  EXPECT_THAT(restored.err, HasSubstr("stderr: wrong\n"));
}

TEST(ScriptOutput, BeyondItsBoundIsCountedAndItsEndIsKept) {
  ScriptNode node;
  node.script("restore", "yes 0123456789 | head -c 3000000; echo 'the last word' >&2; exit 1");
  const Result restored = node.run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err,
              ContainsRegex("warning: \"web\": 2[0-9]{6} bytes of output are not logged"));
  EXPECT_THAT(restored.err, ContainsRegex("error: [^\n]*the last word"));
  EXPECT_LT(restored.err.size(), 4'000'000u);
}

TEST(ScriptOutput, TheLastWordsAreToldWhateverTheLogLevel) {
  ScriptNode node;
  node.node().settings("log_level = \"error\"\n");
  node.script("restore", "echo 'no such disk'; exit 1");
  EXPECT_THAT(node.run("restore").err, HasSubstr("no such disk"));
}

// Whom it runs as, and within what.

TEST(ScriptUser, ItsUmaskAndLimitsHold) {
  ScriptNode node("umask = \"077\"\nlimits = [\"nofile=64\", \"core=0\"]");
  node.script("restore",
              "umask > \"$here/seen\"; ulimit -n >> \"$here/seen\"; ulimit -c >> \"$here/seen\"");
  const Result restored = node.run("restore");
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(node.content("seen"), "0077\n64\n0\n");
}

TEST(ScriptUser, NobodyCanBeIt) {
  ScriptNode node("user = \"nobody\"");
  node.script("restore", "id -un > \"$here/seen\"; echo \"$HOME $USER\" >> \"$here/seen\"");
  const Result restored = node.run("restore");
  if (::geteuid() == 0) {
    EXPECT_EQ(restored.exit_code, 0) << restored.err;
    EXPECT_EQ(node.content("seen"), "nobody\n/nonexistent nobody\n");
  } else {
    EXPECT_EQ(restored.exit_code, 1);
    EXPECT_THAT(restored.err, HasSubstr("becoming its user: Operation not permitted"));
  }
}

// Within the limit that its user has. exec: a shell that still had to fork its sleep could find the
// bomb to have taken the last process, and end by itself.
TEST(ScriptUser, AForkBombIsEndedWhole) {
  const bool root = ::geteuid() == 0;
  ScriptNode node("restore_timeout = 1\nkill_after = 0\nlimits = [\"nproc=60\"]" +
                  std::string(root ? "\nuser = \"nobody\"" : ""));
  node.script("restore", "(bomb() { setsid sleep 60 & bomb & bomb; }; bomb) & exec sleep 60");
  const Result restored = node.run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, HasSubstr("did not end within 1 s"));
  EXPECT_THAT(node.processes(), IsEmpty());
}

}  // namespace
}  // namespace genapp::tests
