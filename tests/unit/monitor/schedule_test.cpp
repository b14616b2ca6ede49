#include "monitor/schedule.hpp"

#include <gtest/gtest.h>

namespace genapp::monitor {
namespace {

using namespace std::chrono_literals;
using common::Clock;

constexpr Clock::time_point kStart{};

TEST(Schedule, ChecksStartOnAGridWhateverALateOneDoes) {
  Schedule schedule(10s, kStart);
  EXPECT_EQ(schedule.due(), kStart);
  EXPECT_EQ(schedule.start(kStart), 0u);
  EXPECT_EQ(schedule.due(), kStart + 10s);
  EXPECT_EQ(schedule.start(kStart + 13s), 0u);
  EXPECT_EQ(schedule.due(), kStart + 20s);
}

TEST(Schedule, WhatWasMissedIsLeftOutAndCounted) {
  Schedule schedule(10s, kStart);
  EXPECT_EQ(schedule.start(kStart + 35s), 3u);
  EXPECT_EQ(schedule.due(), kStart + 40s);
  EXPECT_EQ(schedule.start(kStart + 40s), 0u);
  EXPECT_EQ(schedule.start(kStart + 60s), 1u) << "60 is due in the very moment";
  EXPECT_EQ(schedule.due(), kStart + 70s);
}

TEST(Schedule, ARestartIsANewGrid) {
  Schedule schedule(10s, kStart);
  schedule.restart(kStart + 7s);
  EXPECT_EQ(schedule.due(), kStart + 7s);
  schedule.start(kStart + 7s);
  EXPECT_EQ(schedule.due(), kStart + 17s);
}

}  // namespace
}  // namespace genapp::monitor
