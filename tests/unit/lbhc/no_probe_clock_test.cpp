#include "lbhc/no_probe_clock.hpp"

#include <gtest/gtest.h>

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using Change = NoProbeClock::Change;

// Time is handed in: these tests wait for nothing.
class NoProbeClockTest : public testing::Test {
 protected:
  NoProbeClock::Time start_{1000s};
  NoProbeClock clock_{30s, start_};
};

TEST_F(NoProbeClockTest, RaisesExactlyAtTheDeadlineAndNeverBefore) {
  EXPECT_EQ(clock_.deadline(), start_ + 30s);
  EXPECT_EQ(clock_.tick(start_), Change::none);
  EXPECT_EQ(clock_.tick(start_ + 30s - 1ns), Change::none);
  EXPECT_FALSE(clock_.flag_up());
  EXPECT_EQ(clock_.tick(start_ + 30s), Change::raised);
  EXPECT_TRUE(clock_.flag_up());
}

TEST_F(NoProbeClockTest, RaisesOnce) {
  EXPECT_EQ(clock_.tick(start_ + 31s), Change::raised);
  EXPECT_EQ(clock_.tick(start_ + 32s), Change::none);
  EXPECT_EQ(clock_.tick(start_ + 100s), Change::none);
  EXPECT_TRUE(clock_.flag_up());
}

TEST_F(NoProbeClockTest, AProbeStartsItAnew) {
  EXPECT_EQ(clock_.probe(start_ + 29s), Change::none);
  EXPECT_EQ(clock_.deadline(), start_ + 59s);
  EXPECT_EQ(clock_.tick(start_ + 30s), Change::none);
  EXPECT_EQ(clock_.tick(start_ + 59s - 1ns), Change::none);
  EXPECT_EQ(clock_.tick(start_ + 59s), Change::raised);
}

TEST_F(NoProbeClockTest, AProbeClearsAndItCanBeRaisedAgain) {
  EXPECT_EQ(clock_.tick(start_ + 30s), Change::raised);
  EXPECT_EQ(clock_.probe(start_ + 40s), Change::cleared);
  EXPECT_FALSE(clock_.flag_up());
  EXPECT_EQ(clock_.probe(start_ + 41s), Change::none);
  EXPECT_EQ(clock_.tick(start_ + 70s), Change::none);
  EXPECT_EQ(clock_.tick(start_ + 71s), Change::raised);
}

// The timer fires late on a loaded machine; the probe that came first counts.
TEST_F(NoProbeClockTest, AProbeBeforeALateTickCounts) {
  EXPECT_EQ(clock_.probe(start_ + 35s), Change::none);
  EXPECT_EQ(clock_.tick(start_ + 36s), Change::none);
  EXPECT_FALSE(clock_.flag_up());
}

TEST_F(NoProbeClockTest, CountsProbesAndKnowsTheLast) {
  EXPECT_EQ(clock_.probes(), 0u);
  EXPECT_FALSE(clock_.last_probe());
  clock_.probe(start_ + 1s);
  clock_.probe(start_ + 3s);
  clock_.tick(start_ + 33s);
  EXPECT_EQ(clock_.probes(), 2u);
  EXPECT_EQ(clock_.last_probe(), start_ + 3s);
}

// While draining the balancer is sent away on purpose.
TEST_F(NoProbeClockTest, RaisesNothingOnceStopped) {
  clock_.stop();
  EXPECT_EQ(clock_.tick(start_ + 1000s), Change::none);
  EXPECT_FALSE(clock_.flag_up());
}

TEST_F(NoProbeClockTest, AFlagThatIsUpWhenStoppedCanStillBeCleared) {
  clock_.tick(start_ + 30s);
  clock_.stop();
  EXPECT_TRUE(clock_.flag_up());
  EXPECT_EQ(clock_.probe(start_ + 31s), Change::cleared);
  EXPECT_EQ(clock_.tick(start_ + 1000s), Change::none);
}

}  // namespace
}  // namespace genapp::lbhc
