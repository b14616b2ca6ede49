#include "monitor/response_times.hpp"

#include <gtest/gtest.h>

namespace genapp::monitor {
namespace {

using namespace std::chrono_literals;

TEST(ResponseTimes, HaveNoSummaryBeforeTheFirst) { EXPECT_FALSE(ResponseTimes().summary()); }

TEST(ResponseTimes, OneIsAllOfIt) {
  ResponseTimes times;
  times.put(1500us);
  const auto summary = times.summary();
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->least, 1500us);
  EXPECT_EQ(summary->p50, 1500us);
  EXPECT_EQ(summary->p99, 1500us);
  EXPECT_EQ(summary->last, 1500us);
  EXPECT_EQ(summary->sum, 1500us);
  EXPECT_EQ(summary->count, 1u);
}

TEST(ResponseTimes, PercentilesAreByNearestRank) {
  ResponseTimes times;
  for (int i = 100; i >= 1; --i) times.put(std::chrono::microseconds(i));
  const auto summary = *times.summary();
  EXPECT_EQ(summary.least, 1us);
  EXPECT_EQ(summary.p50, 50us);
  EXPECT_EQ(summary.p99, 99us);
  EXPECT_EQ(summary.last, 1us);
  EXPECT_EQ(summary.sum, 5050us);
}

TEST(ResponseTimes, PercentilesAreOfTheLast256AndTheLeastOfAll) {
  ResponseTimes times;
  times.put(1us);
  for (int i = 0; i < 256; ++i) times.put(1s);
  const auto summary = *times.summary();
  EXPECT_EQ(summary.least, 1us);
  EXPECT_EQ(summary.p50, 1s);
  EXPECT_EQ(summary.p99, 1s);
  EXPECT_EQ(summary.count, 257u);
}

TEST(ResponseTimes, TheLongestWaitFits) {
  ResponseTimes times;
  times.put(10000s);
  EXPECT_EQ(times.summary()->last, 10000s);
  EXPECT_EQ(times.summary()->p99, std::chrono::microseconds(4'294'967'295)) << "71 minutes at most";
}

}  // namespace
}  // namespace genapp::monitor
