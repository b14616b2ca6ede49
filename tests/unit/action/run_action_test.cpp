#include "action/run_action.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::action {
namespace {

using testing::HasSubstr;
using tests::ScopedEnv;

constexpr char kResource[] = "type = \"lbhc\"\nid = \"app1\"\ninfo = \"54321 OK\"\n";

// A node's two directories. Each action runs in a forked child: it sets up the log and signals.
class RunActionTest : public testing::Test {
 protected:
  RunActionTest() {
    std::filesystem::create_directories(temp_ / "etc/resources.d");
    std::filesystem::create_directory(temp_ / "run");
  }

  struct Ended {
    int exit_code;
    std::string err;
  };
  Ended run(Action action, std::vector<const char*> arguments = {"-t", "lb", "-i", "app1"}) {
    arguments.insert(arguments.begin(), "renamed");
    const std::string err = temp_ / "err";
    tests::Child child([&] {
      if (!::freopen(err.c_str(), "w", stderr)) return 98;
      return run_action(action, static_cast<int>(arguments.size()), arguments.data());
    });
    const int exit_code = child.wait();
    return {exit_code, tests::read_file(err)};
  }
  void resource(const std::string& text) {
    tests::write_file(temp_ / "etc/resources.d/lb.toml", text);
  }
  void state(const std::string& text) { tests::write_file(temp_ / "run/app1.state", text); }
  std::vector<std::string> run_files() const { return tests::open_dir(temp_ / "run").names(); }

  tests::TempDir temp_;
  ScopedEnv config_{"GENAPP_CONFIG_DIR", temp_ / "etc"};
  ScopedEnv run_{"GENAPP_RUN_DIR", temp_ / "run"};
  ScopedEnv lkroot_{"LKROOT", temp_ / "none"};
  ScopedEnv timeout_{"HC_TIMEOUT"};
};

constexpr Action kAll[]{Action::restore, Action::remove, Action::quick_check, Action::recover};

TEST_F(RunActionTest, AWrongCommandLineExits64WithOneLine) {
  for (const Action action : kAll) {
    for (const auto& line : std::vector<std::vector<const char*>>{
             {}, {"-t", "lb"}, {"-i", "app1"}, {"-t", "lb", "-i", "../x"}, {"-t"}}) {
      const Ended ended = run(action, line);
      EXPECT_EQ(ended.exit_code, 64);
      EXPECT_THAT(ended.err, HasSubstr("--help"));
      EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    }
  }
}

TEST_F(RunActionTest, LogsItsBeginItsEndAndIgnoredArguments) {
  resource(kResource);
  const Ended ended = run(Action::quick_check, {"-t", "lb", "-i", "app1", "--", "extra\n"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.err, HasSubstr("BEGIN quickCheck of \"lb\" (id app1)"));
  EXPECT_THAT(ended.err, HasSubstr("ignoring the argument \"extra\\n\""));
  EXPECT_THAT(ended.err, HasSubstr("END successful quickCheck of \"lb\" (id app1, "));
}

TEST_F(RunActionTest, AResourceThatIsNotThereExits1) {
  for (const Action action : kAll) {
    const Ended ended = run(action);
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_THAT(ended.err, HasSubstr("no resource \"lb\""));
    EXPECT_THAT(ended.err, HasSubstr("END unsuccessful"));
  }
}

TEST_F(RunActionTest, ABrokenDescriptionExits1NamingTheLine) {
  resource("type = \"lbhc\"\nid = \"app1\"\ninfo = \n");
  for (const Action action : kAll) {
    const Ended ended = run(action);
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_THAT(ended.err, HasSubstr("lb.toml:3: "));
  }
}

// Only the keys are wrong: what to take out is known all the same.
TEST_F(RunActionTest, OnlyRemoveSucceedsWithAWrongInfo) {
  resource("type = \"lbhc\"\nid = \"app1\"\ninfo = \"abc\"\n");
  EXPECT_EQ(run(Action::remove).exit_code, 0);
  for (const Action action : {Action::restore, Action::quick_check, Action::recover}) {
    const Ended ended = run(action);
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_THAT(ended.err, HasSubstr("lb.toml:3: "));
  }
}

TEST_F(RunActionTest, WrongSettingsExit1NamingTheLine) {
  resource(kResource);
  tests::write_file(temp_ / "etc/genapp.toml", "\nlog_levle = \"info\"\n");
  for (const Action action : kAll) {
    const Ended ended = run(action);
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_THAT(ended.err, HasSubstr("genapp.toml:2: unknown key"));
  }
}

TEST_F(RunActionTest, AnotherIdThanTheResourcesExits1) {
  resource(kResource);
  const Ended ended = run(Action::restore, {"-t", "lb", "-i", "app2"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.err, HasSubstr("has the id \"app1\", not \"app2\""));
}

TEST_F(RunActionTest, ABadRunDirectoryExits1) {
  resource(kResource);
  ASSERT_EQ(::chmod((temp_ / "run").c_str(), 0777), 0);
  for (const Action action : kAll) {
    const Ended ended = run(action);
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_THAT(ended.err, HasSubstr("writable by everybody"));
  }
}

// Without a run directory nothing was ever started: remove has nothing to do, the others can't
// work.
TEST_F(RunActionTest, WithoutARunDirectoryOnlyRemoveSucceeds) {
  resource(kResource);
  std::filesystem::remove(temp_ / "run");
  EXPECT_EQ(run(Action::remove).exit_code, 0);
  for (const Action action : {Action::restore, Action::quick_check, Action::recover}) {
    const Ended ended = run(action);
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_THAT(ended.err, HasSubstr("does not exist"));
  }
}

TEST_F(RunActionTest, RemoveOfWhatDoesNotRunSucceedsAndLeavesNothing) {
  resource(kResource);
  EXPECT_EQ(run(Action::remove).exit_code, 0);
  for (const char* name : {"app1.pid", "app1-hc-ng", "app1.sock"}) {
    tests::write_file(temp_ / "run/" + name, "4711 1\n");
  }
  state("ISP\n");
  EXPECT_EQ(run(Action::remove).exit_code, 0);
  EXPECT_THAT(run_files(), testing::IsEmpty());
}

// remove is nearly infallible: a description that broke meanwhile does not keep it.
TEST_F(RunActionTest, RemoveGoesByTheIdWhenTheDescriptionIsBroken) {
  resource("type = \n");
  tests::write_file(temp_ / "run/app1.pid", "4711 1\n");
  state("ISP\n");
  const Ended ended = run(Action::remove);
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("going by the id alone"));
  EXPECT_THAT(run_files(), testing::IsEmpty());
}

TEST_F(RunActionTest, RemoveMakesAGarbledStateWellAgain) {
  resource(kResource);
  state("garbage");
  EXPECT_EQ(run(Action::quick_check).exit_code, 1);
  EXPECT_EQ(run(Action::remove).exit_code, 0);
  EXPECT_THAT(run_files(), testing::IsEmpty());
}

TEST_F(RunActionTest, QuickCheckLooksAwayUnlessInServiceProtected) {
  resource(kResource);
  EXPECT_EQ(run(Action::quick_check).exit_code, 0);
  for (const char* text : {"ISU\n", "OSF\n"}) {
    state(text);
    EXPECT_EQ(run(Action::quick_check).exit_code, 0) << text;
  }
}

TEST_F(RunActionTest, QuickCheckFindsTheDaemonDead) {
  resource(kResource);
  state("ISP\n");
  const Ended ended = run(Action::quick_check);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.err, HasSubstr("the daemon is not running"));
}

TEST_F(RunActionTest, RecoverLeavesItToTheClusterWhereTold) {
  resource(std::string(kResource) + "[lbhc]\nrecover = \"none\"\n");
  state("ISP\n");
  const Ended ended = run(Action::recover);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.err, HasSubstr("recover = \"none\""));
}

TEST_F(RunActionTest, RecoverStartsNothingThatIsOutOfService) {
  resource(kResource);
  const Ended ended = run(Action::recover);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.err, HasSubstr("the state is OSU"));
  EXPECT_THAT(run_files(), testing::IsEmpty());
}

// A script resource: restore makes the file "up", remove takes it away, quickCheck looks for it.
class RunScriptTest : public RunActionTest {
 protected:
  RunScriptTest() {
    script("restore", "touch " + up_);
    script("remove", "rm -f " + up_);
    script("quickCheck", "test -e " + up_ + " || exit 7");
    describe();
  }

  void script(const std::string& name, const std::string& text) {
    const std::string path = temp_ / name;
    tests::write_file(path, "#!/bin/sh\n" + text + "\n");
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  }
  void describe(const std::string& more = "") {
    resource("type = \"script\"\nid = \"app1\"\n[script]\nfolder = \"" + temp_.path() + "\"\n" +
             more);
  }
  std::string state_file() const { return tests::read_file(temp_ / "run/app1.state"); }
  bool is_up() const { return std::filesystem::exists(up_); }

  const std::string up_ = temp_ / "up";
};

TEST_F(RunScriptTest, LivesFromRestoreToRemove) {
  EXPECT_EQ(run(Action::restore).exit_code, 0);
  EXPECT_TRUE(is_up());
  EXPECT_EQ(state_file(), "ISP\n");
  EXPECT_EQ(run(Action::quick_check).exit_code, 0);
  std::filesystem::remove(up_);
  const Ended sick = run(Action::quick_check);
  EXPECT_EQ(sick.exit_code, 1);
  EXPECT_THAT(sick.err, HasSubstr("exited with 7"));
  EXPECT_EQ(run(Action::recover).exit_code, 1);  // it has none
  EXPECT_EQ(run(Action::remove).exit_code, 0);
  EXPECT_THAT(run_files(), testing::IsEmpty());
  EXPECT_EQ(run(Action::quick_check).exit_code, 0);
}

TEST_F(RunScriptTest, AFailureIsRecordedAndSaysItsLastWords) {
  script("restore", "echo because of this >&2; exit 3");
  const Ended ended = run(Action::restore);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.err, HasSubstr("exited with 3, and last said: because of this"));
  EXPECT_THAT(ended.err, HasSubstr("\"lb\" stderr: because of this"));
  EXPECT_EQ(state_file(), "OSF\n");
}

TEST_F(RunScriptTest, ARemoveThatFailsChangesNoState) {
  ASSERT_EQ(run(Action::restore).exit_code, 0);
  script("remove", "exit 1");
  EXPECT_EQ(run(Action::remove).exit_code, 1);
  EXPECT_EQ(state_file(), "ISP\n");
  EXPECT_TRUE(is_up());
}

// What stops it is in the description: without it nothing may be taken for stopped.
TEST_F(RunScriptTest, ABrokenDescriptionIsNotGoneRoundByTheId) {
  ASSERT_EQ(run(Action::restore).exit_code, 0);
  const auto files = run_files();
  for (const char* broken :
       {"type = \n", "", "id = \"app1\"\n", "type = \"script\"\nid = \"app1\"\n",
        "type = \"script\"\nid = \"app1\"\n[script]\nfolder = \"relative\"\n",
        "type = \"lbhc\"\nid = \"app1\"\ninfo = \"abc\"\n"}) {
    resource(broken);
    const Ended ended = run(Action::remove);
    EXPECT_EQ(ended.exit_code, 1) << broken;
    EXPECT_THAT(ended.err, HasSubstr("lb.toml")) << broken;
    EXPECT_EQ(state_file(), "ISP\n");
    EXPECT_EQ(run_files(), files);
    EXPECT_TRUE(is_up());
  }
  std::filesystem::remove(temp_ / "etc/resources.d/lb.toml");
  EXPECT_EQ(run(Action::remove).exit_code, 1);
  EXPECT_EQ(run_files(), files);
  describe();
  EXPECT_EQ(run(Action::remove).exit_code, 0);
  EXPECT_FALSE(is_up());
}

// Nothing has run yet, so there is no trace; still the type is known.
TEST_F(RunScriptTest, ABrokenScriptResourceIsNotRemovedThoughNothingHasRun) {
  state("ISP\n");
  describe("kill_after = -1\n");
  const Ended ended = run(Action::remove);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(state_file(), "ISP\n");
}

TEST_F(RunScriptTest, RemoveOfWhatNeverRanRunsItsScriptAndLeavesNothing) {
  script("remove", "touch " + up_);
  EXPECT_EQ(run(Action::remove).exit_code, 0);
  EXPECT_TRUE(is_up());
  EXPECT_THAT(run_files(), testing::IsEmpty());
}

TEST_F(RunScriptTest, ACheckThatHangsFailsWithinItsTime) {
  ASSERT_EQ(run(Action::restore).exit_code, 0);
  script("quickCheck", "trap '' TERM; while :; do sleep 1000; done");
  describe("quickcheck_timeout = 0.2\n");
  const Ended ended = run(Action::quick_check);
  EXPECT_EQ(ended.exit_code, 1);
}

TEST_F(RunActionTest, RestoreWithoutAProbeFailsAndIsRecorded) {
  const tests::Port port;
  resource("type = \"lbhc\"\nid = \"app1\"\ninfo = \"" + port.text() +
           "\"\n[lbhc]\nhc_timeout = 0.2\n");
  tests::write_file(temp_ / "etc/genapp.toml", "log_file = \"" + (temp_ / "log") + "\"\n");
  const Ended ended = run(Action::restore);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.err, HasSubstr("no probe on port " + port.text()));
  EXPECT_THAT(run_files(), testing::ElementsAre("app1.state"));
  EXPECT_EQ(tests::read_file(temp_ / "run/app1.state"), "OSF\n");
  EXPECT_FALSE(tests::accepts(port.number()));
}

}  // namespace
}  // namespace genapp::action
