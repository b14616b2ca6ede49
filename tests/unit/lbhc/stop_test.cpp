#include "lbhc/stop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using common::Id;
using tests::open_dir;
using tests::TempDir;

const Id kId("app1");

TEST(CleanUp, TakesAwayWhatADeadDaemonLeft) {
  const TempDir temp;
  for (const char* name : {"app1.pid", "app1-hc-ng", "app1.sock", "app2.pid", "app1.state"}) {
    tests::write_file(temp / name, "4711 1\n");
  }
  bool called = false;
  EXPECT_TRUE(clean_up_if_dead(open_dir(temp.path()), kId, [&] { called = true; }));
  EXPECT_TRUE(called);
  // The state is the cluster's affair, the other id somebody else's.
  EXPECT_THAT(open_dir(temp.path()).names(), testing::ElementsAre("app1.state", "app2.pid"));
}

// remove must succeed on a full or read-only file system when there is nothing to do.
TEST(CleanUp, WritesNothingWhereNothingIs) {
  const auto proc = open_dir("/proc");  // takes no file
  bool called = false;
  EXPECT_TRUE(clean_up_if_dead(proc, kId, [&] { called = true; }));
  EXPECT_FALSE(called);
}

// What would be the cluster's memory.
class Remembered : public common::StateStore {
 public:
  common::State read() const override { return state; }
  void write(common::State to) override {
    if (fails) throw common::Error("full");
    state = to;
  }
  common::State state = common::State::in_service_protected;
  bool fails = false;
};

TEST(RecordFailedStart, SaysOutFailedAndLeavesNoLock) {
  const TempDir temp;
  Remembered states;
  record_failed_start(open_dir(temp.path()), kId, states);
  EXPECT_EQ(states.state, common::State::out_failed);
  EXPECT_THAT(open_dir(temp.path()).names(), testing::IsEmpty());
}

// A restore that is refused because a daemon serves must not take that one out of quickCheck's
// sight.
TEST(RecordFailedStart, LeavesTheStateOfALivingDaemon) {
  const TempDir temp;
  const auto dir = open_dir(temp.path());
  const auto held = common::PidFile::take(common::LockFile::acquire(dir, "app1.lock"), dir, kId);
  ASSERT_TRUE(held);
  Remembered states;
  record_failed_start(dir, kId, states);
  EXPECT_EQ(states.state, common::State::in_service_protected);
}

TEST(RecordFailedStart, ThrowsNothing) {
  const TempDir temp;
  Remembered states;
  states.fails = true;
  EXPECT_NO_THROW(record_failed_start(open_dir(temp.path()), kId, states));
  EXPECT_NO_THROW(record_failed_start(open_dir("/proc"), kId, states));  // takes no lock file
}

TEST(HasTrace, IsAnyFileOfADaemon) {
  const TempDir temp;
  const auto dir = open_dir(temp.path());
  EXPECT_FALSE(has_trace(dir, kId));
  for (const char* name : {"app1.pid", "app1-hc-ng", "app1.sock", "app1.state"}) {
    tests::write_file(temp / name, "");
    EXPECT_TRUE(has_trace(dir, kId)) << name;
    dir.unlink(name);
  }
  tests::write_file(temp / "app2.pid", "");
  EXPECT_FALSE(has_trace(dir, kId));
}

// A stale pid file whose number another process has by now: that one must not be signalled.
TEST(StopDaemon, SignalsNoProcessThatDoesNotHoldTheLock) {
  const TempDir temp;
  tests::Child bystander([] { return ::pause(); });
  const auto ticks = common::start_ticks(bystander.pid());
  ASSERT_TRUE(ticks);
  tests::write_file(temp / "app1.pid", common::format_pid_record({bystander.pid(), *ticks}));
  EXPECT_FALSE(stop_daemon(open_dir(temp.path()), kId, 0s));
  EXPECT_TRUE(bystander.running());
}

}  // namespace
}  // namespace genapp::lbhc
