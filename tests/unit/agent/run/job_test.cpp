#include "agent/run/job.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <optional>

#include "common/process.hpp"
#include "tests/support/node.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/agent/run/testing.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using How = JobEnd::How;

class JobTest : public testing::Test, protected Bench {
 protected:
  JobSetup shell(const std::string& text) const {
    JobSetup setup;
    setup.argv = {"/bin/sh", "-c", "D=" + folder.path() + "; " + text};
    setup.environment = around.environment;
    setup.limit = kLongTest;
    return setup;
  }
  JobSetup piped(const std::string& text) const {
    JobSetup setup = shell(text);
    setup.output = JobSetup::Output::pipe;
    setup.with_standard_output = true;
    return setup;
  }
  JobEnd run(JobSetup setup) {
    std::optional<JobEnd> end;
    const Job job(io, launcher, std::move(setup), [&](const JobEnd& told) { end = told; });
    EXPECT_FALSE(end);
    EXPECT_TRUE(run_until(io, [&] { return end.has_value(); }));
    return end.value_or(JobEnd{});
  }
};

TEST_F(JobTest, TellsTheCodeAndTheLastLine) {
  const JobEnd end = run(shell("echo one >&2; echo two >&2; echo out; exit 3"));
  EXPECT_EQ(end.how, How::ended);
  EXPECT_EQ(end.ending, (common::Ending{false, 3}));
  EXPECT_EQ(end.text, "one\ntwo\n");
  EXPECT_EQ(reason_of(end, "it", 5s), "two");
}

TEST_F(JobTest, WithoutWordsTheEndingIsTheReason) {
  EXPECT_EQ(reason_of(run(shell("exit 3")), "restore", 5s), "restore ended with exit code 3");
  EXPECT_EQ(reason_of(run(shell("kill -KILL $$")), "restore", 5s),
            "restore was ended by signal 9 (SIGKILL)");
  EXPECT_EQ(reason_of(run(shell("exit 0")), "restore", 5s), "");
}

TEST_F(JobTest, OfAPipeTheFirstBytesAreKeptAndTheRestIsRead) {
  const JobEnd end = run(piped("echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo last"));
  EXPECT_EQ(end.ending, common::Ending{});
  EXPECT_EQ(end.text.size(), 4096u);
  EXPECT_THAT(end.text, testing::StartsWith("first\nxxx"));
}

TEST_F(JobTest, OfAFileTheLastBytesAreKept) {
  const JobEnd end =
      run(shell("(echo first; head -c 5000 /dev/zero | tr '\\0' x; echo; echo last) >&2"));
  EXPECT_EQ(end.text.size(), 4096u);
  EXPECT_EQ(reason_of(end, "it", 5s), "last");
}

TEST_F(JobTest, ADescendantThatHoldsTheStreamsDoesNotDelayTheEnd) {
  for (const bool pipe : {false, true}) {
    const std::string text = "echo words >&2; sleep 1000 & echo $! >$D/pid";
    const JobEnd end = run(pipe ? piped(text) : shell(text));
    EXPECT_EQ(end.how, How::ended);
    EXPECT_EQ(end.text, "words\n");
    const pid_t pid = pid_in("pid");
    EXPECT_TRUE(tests::process_exists(pid));
    ::kill(pid, SIGKILL);
  }
}

TEST_F(JobTest, WhatADescendantWritesAfterTheEndIsNotKept) {
  run(
      shell("(trap '' TERM; until test -e $D/go; do sleep 0.01; done; "
            "echo more >&2 && echo kept >$D/result || echo refused >$D/result) & exit 0"));
  tests::write_file(folder / "go", "x");
  EXPECT_TRUE(tests::wait_until([&] { return has("result"); }));
  EXPECT_EQ(read("result"), "refused\n");
}

TEST_F(JobTest, AfterItsTimeItGetsTheSignalAndMayEndInOrder) {
  JobSetup setup =
      shell("trap 'echo ended in order >&2; exit 0' TERM; while :; do sleep 0.01; done");
  setup.limit = 300ms;
  const JobEnd end = run(std::move(setup));
  EXPECT_EQ(end.how, How::timed_out);
  EXPECT_EQ(reason_of(end, "restore", 300ms), "restore did not end within 0.3 s: ended in order");
}

TEST_F(JobTest, ThenItIsKilledWithItsGroup) {
  JobSetup setup =
      piped("trap '' TERM; sleep 1000 & echo $! >$D/child; echo $$ >$D/pid; wait; wait");
  setup.limit = 300ms;
  setup.grace = 200ms;
  setup.to_group = true;
  EXPECT_EQ(run(std::move(setup)).how, How::timed_out);
  EXPECT_FALSE(tests::process_exists(pid_in("pid")));
  const pid_t child = pid_in("child");
  EXPECT_TRUE(tests::wait_until([&] { return !tests::process_exists(child); }));
}

TEST_F(JobTest, OneThatCantBeStartedSaysWhy) {
  JobSetup setup;
  setup.argv = {"/nonexistent/program"};
  setup.limit = 5s;
  const JobEnd end = run(std::move(setup));
  EXPECT_EQ(end.how, How::not_started);
  EXPECT_THAT(reason_of(end, "it", 5s), HasSubstr("can't be started: No such file"));
}

TEST_F(JobTest, DroppedItIsKilledAndNothingIsTold) {
  bool told = false;
  {
    const Job job(io, launcher, shell("echo $$ >$D/pid; exec sleep 1000"),
                  [&](const JobEnd&) { told = true; });
    ASSERT_TRUE(run_until(io, [&] { return has("pid"); }));
  }
  const pid_t pid = pid_in("pid");
  // Reaped as well.
  EXPECT_TRUE(run_until(io, [&] { return ::kill(pid, 0) != 0; }));
  EXPECT_FALSE(told);
}

TEST_F(JobTest, DroppedBeforeItsTurnItNeverRuns) {
  {
    const Job job(io, launcher, shell("echo x >$D/ran"), [](const JobEnd&) {});
  }
  run_for(io, 50ms);
  EXPECT_FALSE(has("ran"));
}

TEST_F(JobTest, OneThatOutlivesUsIsLeftWhenItIsDropped) {
  {
    JobSetup setup = shell("echo $$ >$D/pid; exec sleep 1000");
    setup.outlives_us = true;
    const Job job(io, launcher, std::move(setup), [](const JobEnd&) {});
    ASSERT_TRUE(run_until(io, [&] { return has("pid"); }));
  }
  run_for(io, 50ms);
  const pid_t pid = pid_in("pid");
  EXPECT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_TRUE(run_until(io, [&] { return ::kill(pid, 0) != 0; }));
}

TEST_F(JobTest, ManyLeaveNoDescriptor) {
  run(shell("exit 0"));
  run_for(io, 20ms);
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 100; ++i) {
    int ends = 0;
    std::vector<std::unique_ptr<Job>> jobs;
    for (int k = 0; k < 10; ++k) {
      jobs.push_back(std::make_unique<Job>(io, launcher, k % 2 ? piped("exit 0") : shell("exit 0"),
                                           [&](const JobEnd& end) { ends += end.well() ? 1 : 0; }));
    }
    ASSERT_TRUE(run_until(io, [&] { return ends == 10; }));
  }
  run_for(io, 20ms);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(JobTest, WithoutDescriptorsItIsToldAndGoesOnLater) {
  run(shell("exit 0"));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  std::vector<common::Fd> all;
  rlimit few = before;
  few.rlim_cur = open_descriptors() + 8;
  ::setrlimit(RLIMIT_NOFILE, &few);
  while (true) {
    common::Fd fd(::dup(0));
    if (!fd) break;
    all.push_back(std::move(fd));
  }
  const JobEnd end = run(piped("exit 0"));
  all.clear();
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(end.how, How::not_started);
  EXPECT_THAT(end.text, HasSubstr("Too many open files"));
  EXPECT_TRUE(run(piped("exit 0")).well());
}

TEST_F(JobTest, AnotherAgentsChildIsWaitedFor) {
  tests::Child other([] {
    ::pause();
    return 5;
  });
  std::optional<JobEnd> end;
  JobSetup setup;
  setup.outlives_us = true;
  setup.limit = kLongTest;
  const Job job(io, {other.pid(), common::start_ticks(other.pid()).value()}, std::move(setup),
                [&](const JobEnd& told) { end = told; });
  run_for(io, 50ms);
  EXPECT_FALSE(end);
  other.signal(SIGKILL);
  ASSERT_TRUE(run_until(io, [&] { return end.has_value(); }));
  EXPECT_TRUE(end->well());
}

TEST_F(JobTest, AnotherProcessOfThatNumberIsNotTheOne) {
  tests::Child other([] {
    ::pause();
    return 5;
  });
  std::optional<JobEnd> end;
  JobSetup setup;
  setup.limit = kLongTest;
  const Job job(io, {other.pid(), common::start_ticks(other.pid()).value() + 1}, std::move(setup),
                [&](const JobEnd& told) { end = told; });
  EXPECT_FALSE(end);
  ASSERT_TRUE(run_until(io, [&] { return end.has_value(); }));
  EXPECT_TRUE(end->well());
  EXPECT_TRUE(other.running());
}

TEST_F(JobTest, AnotherAgentsChildIsEndedAfterItsTime) {
  tests::Child other([] {
    ::signal(SIGTERM, SIG_IGN);
    while (true) ::pause();
    return 5;
  });
  std::optional<JobEnd> end;
  JobSetup setup;
  setup.outlives_us = true;
  setup.limit = 300ms;
  setup.grace = 100ms;
  const Job job(io, {other.pid(), common::start_ticks(other.pid()).value()}, std::move(setup),
                [&](const JobEnd& told) { end = told; });
  ASSERT_TRUE(run_until(io, [&] { return end.has_value(); }));
  EXPECT_EQ(end->how, How::timed_out);
}

TEST(LauncherTest, ActionsComeBeforeMonitors) {
  boost::asio::io_context io{1};
  Launcher launcher(io);
  std::string order;
  launcher.add(Urgency::monitor, [&] { order += "m"; });
  launcher.add(Urgency::monitor, [&] { order += "n"; });
  launcher.add(Urgency::action, [&] { order += "a"; });
  launcher.add(Urgency::action, [&] { order += "b"; });
  EXPECT_EQ(order, "");
  io.run();
  EXPECT_EQ(order, "abmn");
}

}  // namespace
}  // namespace genapp::agent
