#include "monitor/judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace genapp::monitor {
namespace {

using namespace std::chrono_literals;
using Change = Threshold::Change;

CheckResult good() { return {}; }

CheckResult bad(bool timed_out = false, common::Clock::duration took = 1ms) {
  CheckResult result;
  result.fault = Fault{Event::connect_error, 111, "refused", timed_out};
  result.took = took;
  return result;
}

Judge judge_with(std::size_t fall, std::size_t rise = 1, bool retry_on_timeout = true) {
  return Judge({{fall, rise}, retry_on_timeout, 10s});
}

Change put_next(Judge& judge, const CheckResult& result) {
  const auto verdicts = judge.put(judge.begin(), result);
  EXPECT_EQ(verdicts.size(), 1u);
  return verdicts.empty() ? Change::unchanged : verdicts.front().change;
}

TEST(Judge, FailsAfterAsManyFailuresInARow) {
  Judge judge = judge_with(3);
  EXPECT_EQ(put_next(judge, good()), Change::unchanged);
  EXPECT_EQ(put_next(judge, bad()), Change::pending);
  EXPECT_EQ(put_next(judge, bad()), Change::pending);
  EXPECT_EQ(judge.pending(), 2u);
  EXPECT_EQ(put_next(judge, bad()), Change::changed);
}

TEST(Judge, ASuccessWipesTheFailuresAwayOrAsManyAsAsked) {
  Judge judge = judge_with(2);
  put_next(judge, bad());
  EXPECT_EQ(put_next(judge, good()), Change::unchanged);
  EXPECT_EQ(put_next(judge, bad()), Change::pending);

  Judge strict = judge_with(3, 2);
  put_next(strict, bad());
  EXPECT_EQ(put_next(strict, good()), Change::pending);
  EXPECT_EQ(put_next(strict, bad()), Change::pending);
  EXPECT_EQ(put_next(strict, good()), Change::pending);
  EXPECT_EQ(put_next(strict, bad()), Change::changed);
}

TEST(Judge, ATimeOutFailsAtOnceWhereItIsNotRetried) {
  Judge judge = judge_with(4, 1, false);
  EXPECT_EQ(put_next(judge, bad()), Change::pending);
  const auto verdicts = judge.put(judge.begin(), bad(true));
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].change, Change::changed);
  EXPECT_EQ(verdicts[0].pending, 2u);
}

TEST(Judge, OverlappingChecksAreJudgedInTheOrderOfTheirStarts) {
  Judge judge = judge_with(2);
  const auto first = judge.begin();
  const auto second = judge.begin();
  const auto third = judge.begin();
  EXPECT_TRUE(judge.put(third, bad()).empty());
  EXPECT_TRUE(judge.put(second, good()).empty());
  const auto verdicts = judge.put(first, bad());
  ASSERT_EQ(verdicts.size(), 3u);
  EXPECT_EQ(verdicts[0].change, Change::pending);
  EXPECT_EQ(verdicts[1].change, Change::unchanged);
  EXPECT_EQ(verdicts[1].pending_before, 1u);
  EXPECT_EQ(verdicts[2].change, Change::pending);
}

TEST(Judge, NothingIsJudgedAfterTheVerdict) {
  Judge judge = judge_with(1);
  const auto first = judge.begin();
  const auto second = judge.begin();
  EXPECT_TRUE(judge.put(second, good()).empty());
  const auto verdicts = judge.put(first, bad());
  ASSERT_EQ(verdicts.size(), 1u);
  EXPECT_EQ(verdicts[0].change, Change::changed);
}

TEST(Judge, AFailureLongAfterItsDeadlineSaysNothingOnce) {
  Judge judge = judge_with(1);
  EXPECT_TRUE(judge.says_nothing(bad(true, 11'001ms)));
  EXPECT_FALSE(judge.says_nothing(bad(true, 11'000ms))) << "a busy machine is late, too";
  EXPECT_FALSE(judge.says_nothing(good()));
  judge.drop_all();
  EXPECT_FALSE(judge.says_nothing(bad(true, 60s))) << "not twice in a row";
}

TEST(Judge, WhatWasJudgedInBetweenAllowsItAgain) {
  Judge judge = judge_with(3);
  judge.drop_all();
  put_next(judge, good());
  EXPECT_TRUE(judge.says_nothing(bad(true, 60s)));
}

TEST(Judge, ALateSuccessCounts) {
  CheckResult late = good();
  late.took = 60s;
  EXPECT_FALSE(judge_with(1).says_nothing(late));
}

CheckResult without_socket() {
  CheckResult result;
  result.fault = Fault{Event::socket_error, EMFILE, "no socket", false};
  return result;
}

TEST(Judge, ACheckWithoutASocketSaysNothingOfTheServer) {
  Judge judge = judge_with(2);
  put_next(judge, bad());
  for (std::size_t i = 1; i <= 3; ++i) {
    const auto verdicts = judge.put(judge.begin(), without_socket());
    ASSERT_EQ(verdicts.size(), 1u);
    EXPECT_EQ(verdicts[0].change, Change::unchanged);
    EXPECT_EQ(verdicts[0].without_socket, i);
    EXPECT_EQ(verdicts[0].pending, 1u) << "neither wiped away nor added to";
  }
  EXPECT_EQ(put_next(judge, bad()), Change::changed);
  Judge again = judge_with(9);
  again.put(again.begin(), without_socket());
  put_next(again, good());
  EXPECT_EQ(again.put(again.begin(), without_socket())[0].without_socket, 1u) << "in a row";
}

TEST(Judge, DroppedChecksAreNotJudgedWhenTheirResultsComeYet) {
  Judge judge = judge_with(1);
  const auto old = judge.begin();
  judge.drop_all();
  EXPECT_TRUE(judge.put(old, bad()).empty());
  EXPECT_EQ(put_next(judge, good()), Change::unchanged);
}

TEST(Judge, DroppingKeepsTheFailuresAndAResetForgetsThem) {
  Judge judge = judge_with(2);
  put_next(judge, bad());
  judge.drop_all();
  EXPECT_EQ(judge.pending(), 1u);
  judge.reset();
  EXPECT_EQ(judge.pending(), 0u);
  EXPECT_EQ(put_next(judge, bad()), Change::pending);
}

}  // namespace
}  // namespace genapp::monitor
