#include "script/line_limit.hpp"

#include <gtest/gtest.h>

namespace genapp::script {
namespace {

using namespace std::chrono_literals;
using common::Clock;

constexpr Clock::time_point kBegin{100h};

TEST(LineLimit, LogsWhatFitsInThePeriodAndCountsTheRest) {
  LineLimit limit(10, 60s);
  EXPECT_TRUE(limit.take(6, kBegin).log);
  EXPECT_FALSE(limit.take(5, kBegin + 1s).log);
  EXPECT_TRUE(limit.take(4, kBegin + 2s).log);  // a shorter one still fits
  EXPECT_FALSE(limit.take(1, kBegin + 59s).log);
  const auto next = limit.take(10, kBegin + 60s);
  EXPECT_TRUE(next.log);
  EXPECT_EQ(next.dropped_before, 2u);
}

TEST(LineLimit, TellsOnceWhatWasDropped) {
  LineLimit limit(1, 60s);
  limit.take(2, kBegin);
  EXPECT_EQ(limit.take(1, kBegin + 60s).dropped_before, 1u);
  EXPECT_EQ(limit.take(1, kBegin + 61s).dropped_before, 0u);
  EXPECT_EQ(limit.take(1, kBegin + 120s).dropped_before, 1u);
  EXPECT_EQ(limit.take(1, kBegin + 180s).dropped_before, 0u);
}

TEST(LineLimit, APeriodBeginsWithALine) {
  LineLimit limit(1, 60s);
  EXPECT_TRUE(limit.take(1, kBegin).log);
  EXPECT_TRUE(limit.take(1, kBegin + 90s).log);
  EXPECT_FALSE(limit.take(1, kBegin + 149s).log);
  EXPECT_TRUE(limit.take(1, kBegin + 150s).log);
}

}  // namespace
}  // namespace genapp::script
