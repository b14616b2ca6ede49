// genapp set-state and delete: what they record, take away and refuse.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <optional>

#include "common/directory.hpp"
#include "common/lock_file.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/script_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Result set_state(const Node& node, const std::string& state) {
  return node.run({"genapp", "set-state", "-t", "lb", "-S", state});
}

Result delete_lb(const Node& node) { return node.run({"genapp", "delete", "-t", "lb"}); }

bool is_there(const Node& node) {
  return std::filesystem::exists(node.config_dir() + "/resources.d/lb.toml");
}

void start(Node& node, const Port& port) {
  node.lbhc("lb", "app1", port.text(), "wait_first_probe = false\nhc_timeout = 0.1");
  const Result result = node.action("restore", "lb", "app1");
  ASSERT_EQ(result.exit_code, 0) << result.err;
}

// SIGKILL: the daemon's files stay.
void crash(const Node& node) {
  ASSERT_TRUE(wait_until([&] { return node.has("app1-hc-ng"); }));
  const pid_t daemon = node.daemon("app1");
  ASSERT_GT(daemon, 0);
  ::kill(daemon, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node.daemon("app1") == 0; }));
}

TEST(GenappSetState, RecordsTheStateThatStatusShows) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  for (const std::string state : {"ISP", "ISU", "OSU"}) {
    const Result result = set_state(node, state);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.out, "the state of \"lb\" is " + state + "\n");
    EXPECT_THAT(node.run({"genapp", "status"}).out, HasSubstr("lb   app1  lbhc  " + state + " "));
  }
  EXPECT_THAT(node.run_files(), IsEmpty());
}

TEST(GenappSetState, DecidesWhetherQuickCheckLooks) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  ASSERT_EQ(set_state(node, "ISP").exit_code, 0);
  EXPECT_EQ(node.action("quickCheck", "lb", "app1").exit_code, 1);
  ASSERT_EQ(set_state(node, "ISU").exit_code, 0);
  EXPECT_EQ(node.action("quickCheck", "lb", "app1").exit_code, 0);
}

TEST(GenappSetState, RefusesOtherWords) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  for (const std::string word : {"OSF", "isp", "", "ISP ", "ISP\n", "X\xff"}) {
    const Result result = set_state(node, word);
    EXPECT_EQ(result.exit_code, 64) << word;
    EXPECT_THAT(result.err, testing::MatchesRegex("genapp: error: [ -~]+\n"));
    EXPECT_THAT(result.err, HasSubstr("must be one of: ISP, ISU, OSU"));
  }
  EXPECT_THAT(node.run_files(), IsEmpty());
}

TEST(GenappSetState, RefusesWhatItCanNotRecord) {
  Node node;
  EXPECT_THAT(set_state(node, "ISP").err, HasSubstr("no resource \"lb\""));
  node.lbhc("lb", "app1", "54321");
  std::filesystem::remove(node.run_dir());
  const Result no_folder = set_state(node, "ISP");
  EXPECT_EQ(no_folder.exit_code, 1);
  EXPECT_THAT(no_folder.err, HasSubstr(node.run_dir() + " does not exist"));
}

TEST(GenappSetState, LeavesLifeKeepersStatesToLifeKeeper) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  node.settings("cluster = \"lifekeeper\"");
  const Result result = set_state(node, "ISP");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("LifeKeeper records the states"));
  EXPECT_THAT(node.run_files(), IsEmpty());
}

TEST(GenappDelete, LeavesLifeKeepersResourcesToLifeKeeper) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  node.settings("cluster = \"lifekeeper\"");
  const Result result = node.run({"genapp", "delete", "-t", "lb"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("LifeKeeper's: delete it there"));
  EXPECT_FALSE(read_file(node.config_dir() + "/resources.d/lb.toml").empty());
}

TEST(GenappSetState, WritesOnlyUnderTheIdsLock) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  const auto run_dir =
      common::Directory::open(node.run_dir(), "run directory", common::Directory::Symlink::refuse);
  auto lock = std::optional(common::LockFile::acquire(run_dir, "app1.lock"));
  const Result result = set_state(node, "ISP");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("has been held by another process"));
  EXPECT_FALSE(node.has("app1.state"));
  lock.reset();
  EXPECT_EQ(set_state(node, "ISP").exit_code, 0);
}

TEST(GenappDelete, RefusesARunningDaemonWhateverItsState) {
  Node node;
  const Port port;
  start(node, port);
  for (const std::string state : {"ISP", "ISU", "OSU"}) {
    ASSERT_EQ(set_state(node, state).exit_code, 0);
    const Result result = delete_lb(node);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("has a running daemon: run remove first"));
    EXPECT_TRUE(is_there(node));
    EXPECT_NE(node.daemon("app1"), 0);
  }
}

TEST(GenappDelete, RefusesAResourceInService) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  for (const std::string state : {"ISP", "ISU"}) {
    ASSERT_EQ(set_state(node, state).exit_code, 0);
    const Result result = delete_lb(node);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("is in service (" + state + "): run remove first"));
    EXPECT_TRUE(is_there(node));
    EXPECT_THAT(node.run_files(), ElementsAre("app1.state"));
  }
}

TEST(GenappDelete, TakesAwayWhatADeadDaemonLeft) {
  Node node;
  const Port port;
  start(node, port);
  crash(node);
  EXPECT_EQ(delete_lb(node).exit_code, 1) << "still in service";
  ASSERT_EQ(set_state(node, "OSU").exit_code, 0);
  const Result result = delete_lb(node);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "deleted the resource \"lb\"\n");
  EXPECT_FALSE(is_there(node));
  EXPECT_THAT(node.run_files(), IsEmpty());
}

TEST(GenappDelete, TakesAwayAFailedResource) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  write_file(node.run_file("app1.state"), "OSF\n");
  EXPECT_EQ(delete_lb(node).exit_code, 0);
  EXPECT_THAT(node.run_files(), IsEmpty());
}

TEST(GenappDelete, LeavesTheFilesOfOtherIdsAlone) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  node.lbhc("lb2", "app12", "54322");
  write_file(node.run_file("app12.state"), "OSF\n");
  ASSERT_EQ(delete_lb(node).exit_code, 0);
  EXPECT_THAT(node.run_files(), ElementsAre("app12.state"));
  EXPECT_TRUE(std::filesystem::exists(node.config_dir() + "/resources.d/lb2.toml"));
}

TEST(GenappDelete, TakesAwayAFileThatCanNotBeRead) {
  Node node;
  node.resource_file("lb", "id = \"app1\"\ntype = [\n");
  const Result result = delete_lb(node);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("its id could not be read"));
  EXPECT_FALSE(is_there(node));
}

TEST(GenappDelete, FindsTheIdInAnInvalidResource) {
  Node node;
  const Port port;
  start(node, port);
  node.resource_file("lb", "type = \"lbhc\"\nid = \"app1\"\ninfos = \"typo\"\n");
  const Result refused = delete_lb(node);
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("has a running daemon"));
  EXPECT_TRUE(is_there(node));
  crash(node);
  const Result result = delete_lb(node);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(node.run_files(), IsEmpty());
}

TEST(GenappDelete, NeedsNoRunDirectory) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  std::filesystem::remove(node.run_dir());
  EXPECT_EQ(delete_lb(node).exit_code, 0);
  EXPECT_FALSE(is_there(node));
}

TEST(GenappDelete, OfNothingSaysSo) {
  const Node node;
  const Result result = delete_lb(node);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no resource \"lb\""));
}

TEST(GenappDelete, OfManyAtOnceOneSucceeds) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  write_file(node.run_file("app1.state"), "OSF\n");
  std::vector<Process> processes;
  for (int i = 0; i < 20; ++i) {
    processes.emplace_back(node.command({"genapp", "delete", "-t", "lb"}));
  }
  std::vector<int> codes;
  for (Process& process : processes) codes.push_back(process.wait().exit_code);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), 0), 1);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), 1), 19);
  EXPECT_THAT(node.run_files(), IsEmpty());
}

// A resource of type script: whether it still runs, only its own scripts know.
class GenappDeleteScript : public testing::Test {
 protected:
  ~GenappDeleteScript() override { make("go"); }

  Result delete_web() { return node_.node().run({"genapp", "delete", "-t", "web"}); }
  void expect_refused(const std::string& why) {
    const auto files = node_.node().run_files();
    const Result result = delete_web();
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("the resource \"web\" " + why +
                                      ": run remove first (remove -t web -i web1)"));
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(is_there());
    EXPECT_EQ(node_.node().run_files(), files);
  }
  void expect_deleted() {
    const Result result = delete_web();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.out, "deleted the resource \"web\"\n");
    EXPECT_FALSE(is_there());
    EXPECT_THAT(node_.node().run_files(), IsEmpty());
  }
  bool is_there() const {
    return std::filesystem::exists(node_.node().config_dir() + "/resources.d/web.toml");
  }
  void make(const std::string& file) const { write_file(node_.path(file), ""); }

  // The action, whose script runs and waits for the file "go".
  Process start(const std::string& action) {
    node_.script(action, "echo > \"$here/up\"; while ! [ -e \"$here/go\" ]; do sleep 0.02; done");
    for (const char* file : {"up", "go"}) std::filesystem::remove(node_.path(file));
    Process process = node_.start(action);
    EXPECT_TRUE(wait_until([this] { return std::filesystem::exists(node_.path("up")); }));
    return process;
  }
  void succeed(const std::string& action) {
    const Result result = node_.run(action);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }

  ScriptNode node_;
};

TEST_F(GenappDeleteScript, TakesAwayOneThatHasRunNothing) { expect_deleted(); }

TEST_F(GenappDeleteScript, RefusesOneInServiceUntilARemove) {
  succeed("restore");
  expect_refused("is in service (ISP)");
  succeed("remove");
  expect_deleted();
}

// It may have left half of it running.
TEST_F(GenappDeleteScript, RefusesOneWhoseRestoreFailedUntilARemove) {
  node_.script("restore", "exit 1");
  ASSERT_EQ(node_.run("restore").exit_code, 1);
  expect_refused("was worked on by an action that no remove has followed");
  // A state says nothing of what runs.
  ASSERT_EQ(node_.node().run({"genapp", "set-state", "-t", "web", "-S", "OSU"}).exit_code, 0);
  expect_refused("was worked on by an action that no remove has followed");
  succeed("remove");
  expect_deleted();
}

TEST_F(GenappDeleteScript, RefusesOneWhoseRemoveFailed) {
  node_.script("restore", "exit 1");
  node_.script("remove", "exit 1");
  ASSERT_EQ(node_.run("restore").exit_code, 1);
  ASSERT_EQ(node_.run("remove").exit_code, 1);
  expect_refused("was worked on by an action that no remove has followed");
  node_.script("remove", "exit 0");
  succeed("remove");
  expect_deleted();
}

TEST_F(GenappDeleteScript, RefusesWhileAScriptRuns) {
  for (const char* action : {"restore", "quickCheck", "recover", "remove"}) {
    Process running = start(action);
    expect_refused("has an action that runs");
    make("go");
    const Result ended = running.wait();
    EXPECT_EQ(ended.exit_code, 0) << action << ": " << ended.err;
  }
  expect_deleted();
}

// A remove does not wait for it, and so leaves its files.
TEST_F(GenappDeleteScript, TakesAwayTheFilesOfAQuickCheckThatTheRemoveDidNotAwait) {
  succeed("restore");
  Process check = start("quickCheck");
  succeed("remove");
  expect_refused("has an action that runs");
  make("go");
  EXPECT_EQ(check.wait().exit_code, 0);
  EXPECT_THAT(node_.node().run_files(), ElementsAre("web1.check", "web1.lock"));
  expect_deleted();
}

TEST_F(GenappDeleteScript, TakesAwayTheFilesOfAKilledQuickCheck) {
  succeed("restore");
  Process check = start("quickCheck");
  check.signal(SIGKILL);
  check.wait();
  expect_refused("is in service (ISP)");
  succeed("remove");
  expect_deleted();
}

}  // namespace
}  // namespace genapp::tests
