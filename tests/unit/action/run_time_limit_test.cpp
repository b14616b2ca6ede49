#include "action/run_time_limit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/time.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::action {
namespace {

// Not waited for: the alarm that is set is looked at, and sent by hand.
TEST(RunTimeLimit, IsBelowTheFiveSecondsOfQuickCheck) {
  tests::Child child([] {
    limit_quick_check(std::chrono::milliseconds(4500));
    itimerval timer{};
    if (::getitimer(ITIMER_REAL, &timer) != 0) return 1;
    const bool armed = timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0;
    return armed && timer.it_value.tv_sec < 5 ? 0 : 2;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(RunTimeLimit, EndsTheProcessWithOneAndOneLine) {
  const tests::TempDir temp;
  tests::Child child([&] {
    if (!::freopen((temp / "err").c_str(), "w", stderr)) return 98;
    limit_quick_check(std::chrono::milliseconds(4500));
    ::raise(SIGALRM);
    return 0;
  });
  EXPECT_EQ(child.wait(), 1);
  EXPECT_THAT(tests::read_file(temp / "err"),
              testing::MatchesRegex("quickCheck: error: no result within 4.5 s[^\n]*\n"));
}

// LifeKeeper's lkcheck may leave it so.
TEST(RunTimeLimit, WorksAlsoWhereTheAlarmWasBlockedOrIgnored) {
  tests::Child child([] {
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    ::sigprocmask(SIG_BLOCK, &alarm, nullptr);
    ::signal(SIGALRM, SIG_IGN);
    limit_quick_check(std::chrono::milliseconds(4500));
    ::raise(SIGALRM);
    return 0;
  });
  EXPECT_EQ(child.wait(), 1);
}

}  // namespace
}  // namespace genapp::action
