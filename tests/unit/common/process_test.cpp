#include "common/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using namespace std::chrono_literals;
using tests::Child;

// proc(5): pid, name in parentheses, then fields 3 to 21 before the start time.
std::string stat_line(const std::string& name, const std::string& start) {
  return "4711 (" + name + ") S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 " + start + " 23 24\n";
}

TEST(StartTicks, AreFieldTwentyTwoWhateverTheNameIs) {
  for (const char* name : {"lbhcd", "", "a b", "a) b (c", "))) 1 2 3", "(((", "x) S 1 1 1", "\n"}) {
    EXPECT_EQ(start_ticks_from_stat(stat_line(name, "987654321")), 987654321u) << name;
  }
  EXPECT_EQ(start_ticks_from_stat(stat_line("x", "18446744073709551615")), UINT64_MAX);
}

TEST(StartTicks, AreNotGuessedFromABrokenLine) {
  for (const char* text : {"", "4711", "4711 (x", "4711 (x)", "4711 (x) S 1 2 3", ")", ") "}) {
    EXPECT_FALSE(start_ticks_from_stat(text)) << text;
  }
  EXPECT_FALSE(start_ticks_from_stat(stat_line("x", "abc")));
  EXPECT_FALSE(start_ticks_from_stat(stat_line("x", "-1")));
  EXPECT_FALSE(start_ticks_from_stat(stat_line("x", "18446744073709551616")));
  EXPECT_FALSE(start_ticks_from_stat("1 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "));
}

// Half of a number is another number, and so another process.
TEST(StartTicks, AreNotReadFromHalfALine) {
  const std::string line = stat_line("x", "987654");
  const std::size_t number = line.find("987654");
  for (std::size_t size = 0; size <= number + 6; ++size) {
    EXPECT_FALSE(start_ticks_from_stat(line.substr(0, size))) << line.substr(0, size);
  }
  EXPECT_EQ(start_ticks_from_stat(line.substr(0, number + 7)), 987654u);
  EXPECT_FALSE(start_ticks_from_stat(stat_line("x", "12x")));
}

TEST(StartTicks, AreThoseOfTheProcess) {
  const auto own = start_ticks(::getpid());
  ASSERT_TRUE(own);
  EXPECT_EQ(start_ticks(::getpid()), own);
  Child child([] { return ::pause(); });
  const auto its = start_ticks(child.pid());
  ASSERT_TRUE(its);
  EXPECT_GE(*its, *own);
  const pid_t pid = child.pid();
  child.signal(SIGKILL);
  child.wait();
  EXPECT_FALSE(start_ticks(pid));
}

TEST(Pidfd, SeesTheEnd) {
  Child child([] { return ::pause(); });
  const auto pidfd = open_pidfd(child.pid());
  ASSERT_TRUE(pidfd);
  EXPECT_FALSE(wait_for_end(*pidfd, 0ms));
  EXPECT_FALSE(wait_for_end(*pidfd, 20ms));
  EXPECT_TRUE(send_signal(*pidfd, SIGKILL));
  EXPECT_TRUE(wait_for_end(*pidfd, 20s));
}

// It has ended, also while nobody has reaped it; it can be signalled no more once that is done.
TEST(Pidfd, SignalsNobodyElseAfterTheEnd) {
  Child child([] { return 0; });
  const auto pidfd = open_pidfd(child.pid());
  ASSERT_TRUE(pidfd);
  EXPECT_TRUE(wait_for_end(*pidfd, 20s));
  EXPECT_EQ(child.wait(), 0);
  EXPECT_TRUE(wait_for_end(*pidfd, 0ms));
  EXPECT_FALSE(send_signal(*pidfd, SIGTERM));
}

TEST(Pidfd, IsNotToBeHadForNobody) {
  Child child([] { return 0; });
  const pid_t pid = child.pid();
  child.wait();
  EXPECT_FALSE(open_pidfd(pid));
  EXPECT_NE(tests::error_of([] { open_pidfd(-1); }), "");
}

TEST(Pidfd, SaysWhichSignalIsNoSignal) {
  const auto self = open_pidfd(::getpid());
  ASSERT_TRUE(self);
  EXPECT_EQ(tests::error_of([&] { send_signal(*self, 4711); }),
            "sending signal 4711: Invalid argument");
}

// A signal that interrupts the wait must neither end nor prolong it without end.
TEST(Pidfd, WaitIsNotEndedByASignal) {
  Child child([] { return ::pause(); });
  const auto pidfd = open_pidfd(child.pid());
  ASSERT_TRUE(pidfd);
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &action, &before);  // the waiter inherits it
  Child waiter([&] { return wait_for_end(*pidfd, 60s) ? 0 : 1; });
  ::sigaction(SIGUSR1, &before, nullptr);
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(tests::wait_until([&] { return !waiter.running(); }, 10ms));
    waiter.signal(SIGUSR1);
  }
  EXPECT_TRUE(waiter.running());
  child.signal(SIGKILL);
  EXPECT_EQ(waiter.wait(), 0);
}

TEST(Runs, IsTrueOfTheOneProcessUntilItHasEnded) {
  EXPECT_TRUE(runs(::getpid(), start_ticks(::getpid()).value()));
  EXPECT_FALSE(runs(::getpid(), start_ticks(::getpid()).value() + 1));
  Child child([] { return ::pause(); });
  const std::uint64_t ticks = start_ticks(child.pid()).value();
  EXPECT_TRUE(runs(child.pid(), ticks));
  child.signal(SIGSTOP);
  EXPECT_TRUE(runs(child.pid(), ticks));
  child.signal(SIGKILL);
  EXPECT_TRUE(tests::wait_until([&] { return !runs(child.pid(), ticks); }));  // a zombie
  child.wait();
  EXPECT_FALSE(runs(child.pid(), ticks));
}

}  // namespace
}  // namespace genapp::common
