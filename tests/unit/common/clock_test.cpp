#include "common/clock.hpp"

#include <gtest/gtest.h>

namespace genapp::common {
namespace {

using namespace std::chrono_literals;

TEST(UtcText, HasMillisecondsAndTheZone) {
  EXPECT_EQ(utc_text(WallClock::time_point{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(utc_text(WallClock::time_point{1795335302s + 123ms}), "2026-11-22T08:15:02.123Z");
  EXPECT_EQ(utc_text(WallClock::time_point{1709164799s + 999ms}), "2024-02-28T23:59:59.999Z");
  EXPECT_EQ(utc_text(WallClock::time_point{1709164800s}), "2024-02-29T00:00:00.000Z");
}

// Rounding up could name a second, or a year, that has not begun.
TEST(UtcText, RoundsDown) {
  EXPECT_EQ(utc_text(WallClock::time_point{1s + 999'999us}), "1970-01-01T00:00:01.999Z");
  EXPECT_EQ(utc_text(WallClock::time_point{-1ms}), "1969-12-31T23:59:59.999Z");
}

TEST(SecondsText, HasNoMoreDigitsThanNeeded) {
  EXPECT_EQ(seconds_text(0s), "0");
  EXPECT_EQ(seconds_text(30s), "30");
  EXPECT_EQ(seconds_text(100s), "100");
  EXPECT_EQ(seconds_text(200ms), "0.2");
  EXPECT_EQ(seconds_text(1500ms), "1.5");
  EXPECT_EQ(seconds_text(1050ms), "1.05");
  EXPECT_EQ(seconds_text(10ms), "0.01");
  EXPECT_EQ(seconds_text(1ms), "0.001");
  EXPECT_EQ(seconds_text(86400s), "86400");
}

}  // namespace
}  // namespace genapp::common
