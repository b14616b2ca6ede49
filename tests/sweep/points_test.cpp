// The pure parts: what strace wrote, the points, the table.

#include <errno.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sweep/points.hpp"

namespace genapp::tests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr char kText[] =
    "[  12] brk(NULL) = 0x1\n"
    "[  59] execve(\"/bin/x\", [\"x\"], 0x7ff /* 43 vars */) = 0\n"
    "[  12] brk(NULL)                        = 0x2734e000\n"
    "[ 257] openat(3</run>, \"a.lock\", O_RDWR|O_CREAT, 0600) = 4</run/a.lock>\n"
    "--- SIGTERM {si_signo=SIGTERM} ---\n"
    "[   3] close(4</run/a.lock>)            = 0\n"
    "[ 257] openat(3</run>, \"[] (+++ \", O_RDONLY) = -1 ENOENT (No such file)\n"
    "[ 257] openat(3</run>, \"b\", O_RDONLY) = 4</run/b>\n"
    "[ 231] exit_group(0)                    = ?\n"
    "[ 231] +++ exited with 0 +++\n";

std::vector<std::string> texts(const std::vector<Point>& points) {
  std::vector<std::string> all;
  for (const Point& point : points) all.push_back(point.text());
  return all;
}

TEST(ParseTrace, TakesTheCallsAfterTheExec) {
  const Trace trace = parse_trace(kText);
  ASSERT_EQ(trace.size(), 6u);
  EXPECT_EQ(trace[0].name, "brk");
  EXPECT_EQ(trace[1].number, 257);
  EXPECT_EQ(trace[1].text, "openat(3</run>, \"a.lock\", O_RDWR|O_CREAT, 0600) = 4</run/a.lock>");
  EXPECT_EQ(trace[5].name, "exit_group");
}

TEST(ParseTrace, AForkedProcessHasNoExec) {
  EXPECT_EQ(parse_trace("[ 273] set_robust_list(0x1, 24) = 0\n[ 112] setsid() = 5\n").size(), 2u);
}

TEST(ParseTrace, LeavesOutAHalfWrittenLine) {
  EXPECT_EQ(parse_trace("[ 112] setsid() = 5\n[  12] br").size(), 1u);
}

TEST(ParseTrace, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(parse_trace("setsid() = 5\n"), std::runtime_error);
  EXPECT_THROW(parse_trace("[ x] setsid() = 5\n"), std::runtime_error);
  EXPECT_THROW(parse_trace("[ 1] <... write resumed>\n"), std::runtime_error);
}

TEST(ParseTrace, TellsWhetherTheProcessHasEnded) {
  EXPECT_TRUE(has_ended(kText));
  EXPECT_TRUE(has_ended("+++ killed by SIGKILL +++\n"));
  EXPECT_FALSE(has_ended(""));
  EXPECT_FALSE(has_ended("[ 112] setsid() = 5\n"));
  EXPECT_FALSE(has_ended("[ 231] +++ exited with 0 +++\n[ 112] setsid() = 5\n"));
}

TEST(KillPoints, KnowWhatIsBeforeMain) {
  const Trace trace = parse_trace(
      "[ 12] brk(NULL) = 0x1\n[ 13] rt_sigaction(SIGPIPE, {}, {}, 8) = 0\n[ 12] brk(NULL) = 0x1\n");
  const auto command = kill_points(trace, Who::command, Choice::every);
  EXPECT_TRUE(command.at(0).before_main);
  EXPECT_FALSE(command.at(1).before_main);
  EXPECT_FALSE(command.at(2).before_main);
  EXPECT_FALSE(kill_points(trace, Who::daemon, Choice::every).at(0).before_main);
}

TEST(KillPoints, EveryCallIsAPoint) {
  EXPECT_THAT(
      texts(kill_points(parse_trace(kText), Who::daemon, Choice::every)),
      ElementsAre("daemon brk#1 KILL", "daemon openat#1 KILL", "daemon close#1 KILL",
                  "daemon openat#2 KILL", "daemon openat#3 KILL", "daemon exit_group#1 KILL"));
}

TEST(KillPoints, TheSpreadHasTheFirstAndTheLastOfEachName) {
  EXPECT_THAT(texts(kill_points(parse_trace(kText), Who::command, Choice::spread)),
              ElementsAre("command brk#1 KILL", "command openat#1 KILL", "command close#1 KILL",
                          "command openat#3 KILL", "command exit_group#1 KILL"));
}

TEST(ErrnoPoints, EachErrnoAtEachCallThatCanAnswerIt) {
  const auto all = texts(errno_points(parse_trace(kText), Who::command, Choice::every));
  EXPECT_THAT(all, Contains("command openat#1 ENOSPC"));
  EXPECT_THAT(all, Not(Contains("command openat#2 ENOSPC")));
  EXPECT_THAT(all, Contains("command openat#2 EMFILE"));
  EXPECT_THAT(all, Contains("command openat#3 EMFILE"));
  EXPECT_THAT(all, Contains("command brk#1 ENOMEM"));
}

TEST(ErrnoPoints, TheSpreadHasEachErrnoOfEachNameOnce) {
  const auto some = texts(errno_points(parse_trace(kText), Who::command, Choice::spread));
  EXPECT_THAT(some, Contains("command openat#1 ENOSPC"));
  EXPECT_THAT(some, Not(Contains("command openat#1 EMFILE")));
  EXPECT_THAT(some, Contains("command openat#3 EMFILE"));
}

TEST(Errnos, DependOnWhatTheCallIsMadeOn) {
  EXPECT_THAT(errnos_of({0, "read", "read(3</etc/x>, \"\", 1) = 0"}), ElementsAre(EIO, EINTR));
  EXPECT_THAT(errnos_of({0, "read", "read(7<TCPv6:[[::]:1]>, \"\", 1) = 0"}), Contains(EAGAIN));
  EXPECT_THAT(errnos_of({39, "getpid", "getpid() = 7"}), IsEmpty());
}

// Each watches something else.
TEST(ErrnoPoints, TheSpreadHasEveryEpollCtl) {
  const Trace trace = parse_trace(
      "[ 233] epoll_ctl(5<a>, EPOLL_CTL_ADD, 6<b>, {events=EPOLLIN}) = 0\n"
      "[ 233] epoll_ctl(5<a>, EPOLL_CTL_ADD, 7<b>, {events=EPOLLIN}) = 0\n");
  const auto points = texts(errno_points(trace, Who::daemon, Choice::spread));
  EXPECT_THAT(points, Contains("daemon epoll_ctl#1 ENOSPC"));
  EXPECT_THAT(points, Contains("daemon epoll_ctl#2 ENOSPC"));
  EXPECT_THAT(points, Contains("daemon epoll_ctl#2 ENOMEM"));
  EXPECT_THAT(points, Not(Contains("daemon epoll_ctl#1 ENOMEM")));
}

}  // namespace
}  // namespace genapp::tests
