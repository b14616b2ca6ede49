// Several actions at once on one id.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <filesystem>
#include <optional>

#include "common/lock_file.hpp"
#include "common/pid_file.hpp"
#include "tests/support/lbhc_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct Tally {
  int done = 0;
  int refused = 0;
  std::string other;
};

Tally tally(std::vector<Process>& processes) {
  Tally tally;
  for (Process& process : processes) {
    const Result result = process.wait();
    if (result.exit_code == 0) {
      ++tally.done;
    } else if (result.exit_code == 1 && result.err.find("already running") != std::string::npos) {
      ++tally.refused;
    } else {
      tally.other += result.err;
    }
  }
  return tally;
}

std::vector<Process> start_many(const LbhcNode& node, const std::string& action, int count) {
  std::vector<Process> processes;
  for (int i = 0; i < count; ++i) processes.push_back(node.start(action));
  return processes;
}

TEST(Together, OfTwentyRestoresOneStartsADaemonAndTheOthersSaySo) {
  LbhcNode node("wait_first_probe = false");
  std::vector<Process> restores = start_many(node, "restore", 20);
  const Tally result = tally(restores);
  EXPECT_EQ(result.done, 1);
  EXPECT_EQ(result.refused, 19);
  EXPECT_THAT(result.other, IsEmpty());
  EXPECT_EQ(node.state(), "ISP");
  EXPECT_EQ(probe(node.port()).bytes, "OK");
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
}

TEST(Together, TwentyRestoresThatMayFindOneRunningAllSucceedOnOneDaemon) {
  LbhcNode node("already_running = \"ok\"");
  std::vector<Process> restores = start_many(node, "restore", 20);
  ASSERT_TRUE(wait_until([&] { return accepts(node.port()); }));
  const Tally result = tally(restores);
  EXPECT_EQ(result.done, 20) << result.other;
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_FALSE(accepts(node.port()));
}

// A daemon in the middle of its start, played by the test: alive by its lock, under ID.lock, and
// without a control socket.
class HalfStarted {
 public:
  explicit HalfStarted(const Node& node)
      : run_dir_(common::Directory::open(node.run_dir(), "run directory",
                                         common::Directory::Symlink::refuse)),
        lock_(common::LockFile::acquire(run_dir_, "app1.lock")),
        pid_file_(common::PidFile::take(*lock_, run_dir_, "app1.pid")) {}
  // As a start that failed: everything is undone, then the lock is given back.
  void undo() {
    run_dir_.unlink("app1.pid");
    pid_file_.reset();
    lock_.reset();
  }

 private:
  common::Directory run_dir_;
  std::optional<common::LockFile> lock_;
  std::optional<common::PidFile> pid_file_;
};

bool has_open(pid_t pid, const std::string& path) {
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", ignored)) {
    if (std::filesystem::read_symlink(entry, ignored) == path) return true;
  }
  return false;
}

// Lets `process` come to where it waits for the other's start; false when it did not wait.
bool waits_for_the_start(LbhcNode& node, Process& process) {
  const std::string lock = std::filesystem::canonical(node.node().run_file("app1.lock"));
  bool seen = false;
  wait_until([&] {
    seen = has_open(process.pid(), lock);
    return seen || !process.running();
  });
  return seen;
}

TEST(Together, ARestoreWaitsForAStartInProgressBeforeItJudges) {
  LbhcNode node("already_running = \"ok\"\nwait_first_probe = false");
  HalfStarted other(node.node());
  Process restore = node.start("restore");
  EXPECT_TRUE(waits_for_the_start(node, restore));
  other.undo();
  const Result result = restore.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(probe(node.port()).bytes, "OK");
}

TEST(Together, AStandbyCheckWaitsForAStartInProgressBeforeItJudges) {
  LbhcNode node("standby_check = true");
  HalfStarted other(node.node());
  Process check = node.start("quickCheck");
  EXPECT_TRUE(waits_for_the_start(node, check));
  other.undo();
  const Result result = check.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST(Together, ARecoverDoesNotEndADaemonThatIsBeingStarted) {
  LbhcNode node("wait_first_probe = false");
  node.node().action("restore", "lb", "app1");
  const pid_t killed = node.node().daemon("app1");
  ASSERT_GT(killed, 0);
  ASSERT_EQ(::kill(killed, SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] { return node.node().daemon("app1") == 0; }));
  HalfStarted other(node.node());
  Process recover = node.start("recover");
  EXPECT_TRUE(waits_for_the_start(node, recover));
  other.undo();
  wait_until([&] {
    accepts(node.port());
    return !recover.running();
  });
  const Result result = recover.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(probe(node.port()).bytes, "OK");
}

TEST(Together, RemovesNeverFailAndLeaveNothing) {
  LbhcNode node("wait_first_probe = false");
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(node.run("restore").exit_code, 0);
    std::vector<Process> removes = start_many(node, "remove", 8);
    for (Process& remove : removes) {
      const Result result = remove.wait();
      EXPECT_EQ(result.exit_code, 0) << result.err;
    }
    EXPECT_THAT(node.node().run_files(), IsEmpty());
    EXPECT_FALSE(accepts(node.port()));
  }
}

// Whatever the order was: at most one daemon, the state and the daemon agree, and a remove and a
// restore afterwards work.
TEST(Together, RestoresAndRemovesMixedLeaveAConsistentWhole) {
  LbhcNode node("wait_first_probe = false");
  for (int round = 0; round < 10; ++round) {
    std::vector<Process> restores = start_many(node, "restore", 4);
    std::vector<Process> removes = start_many(node, "remove", 2);
    for (Process& remove : removes) EXPECT_EQ(remove.wait().exit_code, 0) << remove.err();
    for (Process& restore : restores) restore.wait();
    const bool alive = node.node().daemon("app1") != 0;
    EXPECT_EQ(alive, accepts(node.port()));
    EXPECT_EQ(alive, node.state() == "ISP") << node.state();
    EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  }
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_EQ(node.run("restore").exit_code, 0);
  EXPECT_EQ(probe(node.port()).bytes, "OK");
}

TEST(Together, ARecoverNeverStartsWhatARemoveTookOut) {
  LbhcNode node("hc_timeout = 0.3");
  for (int round = 0; round < 5; ++round) {
    node.restore();
    ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
    Process recover = node.start("recover");
    Process remove = node.start("remove");
    EXPECT_EQ(remove.wait().exit_code, 0) << remove.err();
    recover.wait();
    EXPECT_EQ(node.node().daemon("app1"), 0);
    EXPECT_FALSE(accepts(node.port()));
  }
}

TEST(Together, ManyResourcesDoNotDisturbEachOther) {
  Node node;
  std::vector<Port> ports(12);
  std::vector<Process> restores;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const std::string n = std::to_string(i);
    node.lbhc("lb" + n, "app" + n, ports[i].text() + " I am " + n, "wait_first_probe = false");
    restores.push_back(node.start_action("restore", "lb" + n, "app" + n));
  }
  for (Process& restore : restores) EXPECT_EQ(restore.wait().exit_code, 0) << restore.err();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    EXPECT_EQ(probe(ports[i].number()).bytes, "I am " + std::to_string(i));
  }
}

}  // namespace
}  // namespace genapp::tests
