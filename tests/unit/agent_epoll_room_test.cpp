// The agent where the kernel watches nothing more: what it has to wait for goes on all the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "agent/run/job.hpp"
#include "agent/run/process_monitor.hpp"
#include "common/process.hpp"
#include "tests/unit/agent/run/testing.hpp"
#include "tests/unit/epoll_room.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using How = JobEnd::How;

class EpollRoomTest : public testing::Test, protected Bench {
 protected:
  JobSetup shell(const std::string& text) const {
    JobSetup setup;
    setup.argv = {"/bin/sh", "-c", "D=" + folder.path() + "; " + text};
    setup.environment = around.environment;
    setup.limit = kLongTest;
    return setup;
  }
  JobEnd run(JobSetup setup) {
    std::optional<JobEnd> end;
    const Job job(io, launcher, std::move(setup), [&](const JobEnd& told) { end = told; });
    EXPECT_TRUE(run_until(io, [&] { return end.has_value(); }));
    return end.value_or(JobEnd{});
  }
  // What there is to be before the room is gone.
  void warm_up() {
    EXPECT_TRUE(run(shell("exit 0")).well());
    run_for(io, 20ms);
  }
};

TEST_F(EpollRoomTest, AJobGoesOnAndItsEndIsSeen) {
  warm_up();
  const tests::NoRoomInEpoll no_room;
  const JobEnd end = run(shell("echo words >&2; exit 3"));
  EXPECT_EQ(end.how, How::ended);
  EXPECT_EQ(end.ending, (common::Ending{false, 3}));
  EXPECT_EQ(end.text, "words\n");
}

TEST_F(EpollRoomTest, OneThatIsToBeReadIsNotStarted) {
  warm_up();
  const std::size_t before = open_descriptors();
  {
    const tests::NoRoomInEpoll no_room;
    JobSetup setup = shell("echo x >$D/ran");
    setup.output = JobSetup::Output::pipe;
    const JobEnd end = run(std::move(setup));
    EXPECT_EQ(end.how, How::not_started);
    EXPECT_THAT(reason_of(end, "it", 5s), HasSubstr("epoll"));
  }
  EXPECT_FALSE(has("ran"));
  EXPECT_EQ(open_descriptors(), before);
  warm_up();
}

TEST_F(EpollRoomTest, OneThatHangsIsKilledAfterItsTime) {
  warm_up();
  const tests::NoRoomInEpoll no_room;
  JobSetup setup = shell("trap '' TERM; while :; do sleep 0.05; done");
  setup.limit = 300ms;
  setup.grace = 200ms;
  EXPECT_EQ(run(std::move(setup)).how, How::timed_out);
}

TEST_F(EpollRoomTest, ADroppedOneIsKilledAndReaped) {
  warm_up();
  const tests::NoRoomInEpoll no_room;
  {
    const Job job(io, launcher, shell("echo $$ >$D/pid; exec sleep 1000"),
                  [](const JobEnd&) { ADD_FAILURE() << "it was dropped"; });
    ASSERT_TRUE(run_until(io, [&] { return has("pid"); }));
  }
  EXPECT_TRUE(run_until(io, [&] { return ::kill(pid_in("pid"), 0) != 0; }));
}

TEST_F(EpollRoomTest, AnotherAgentsChildIsWaitedFor) {
  warm_up();
  tests::Child other([] {
    ::pause();
    return 5;
  });
  const tests::NoRoomInEpoll no_room;
  std::optional<JobEnd> end;
  JobSetup setup;
  setup.outlives_us = true;
  setup.limit = kLongTest;
  const Job job(io, {other.pid(), common::start_ticks(other.pid()).value()}, std::move(setup),
                [&](const JobEnd& told) { end = told; });
  run_for(io, 300ms);
  EXPECT_FALSE(end);
  other.signal(SIGKILL);
  ASSERT_TRUE(run_until(io, [&] { return end.has_value(); }));
  EXPECT_TRUE(end->well());
}

TEST_F(EpollRoomTest, AProcessIsLookedAtInstead) {
  warm_up();
  const std::string name = "gae" + std::to_string(::getpid());
  std::filesystem::copy_file("/bin/sleep", folder / name);
  common::Spawn what;
  what.argv = {folder / name, "1000"};
  common::Child child = common::spawn(what);
  std::vector<std::string> complaints;
  std::vector<bool> seen;
  ProcessMonitors monitors(io, [&](const std::string& text) { complaints.push_back(text); });
  {
    const tests::NoRoomInEpoll no_room;
    const std::size_t before = open_descriptors();
    monitors.watch({{name}}, [&](const Verdict& verdict) { seen.push_back(verdict.healthy); });
    EXPECT_TRUE(run_until(io, [&] { return !seen.empty(); }));
    EXPECT_EQ(open_descriptors(), before);
    ::kill(child.pid(), SIGKILL);
    EXPECT_TRUE(run_until(io, [&] { return seen.size() == 2; }));
  }
  child.reap();
  EXPECT_THAT(seen, ElementsAre(true, false));
  EXPECT_THAT(complaints, ElementsAre(HasSubstr("it is looked at each second instead")));
}

}  // namespace
}  // namespace genapp::agent
