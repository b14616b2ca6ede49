// The wall clock jumps a day to and fro: the daemon's decisions do not notice, only what it prints.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/clock.hpp"
#include "common/flag_file.hpp"
#include "lbhc/control.hpp"
#include "lbhc/daemon.hpp"
#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"
#include "tests/unit/wall_clock.hpp"

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using common::Clock;
using testing::AnyOf;
using testing::Ge;
using testing::Lt;
using tests::set_wall_clock;
using tests::wait_until;

const common::Id kId("app1");

std::string today() { return common::utc_text(common::WallClock::now()).substr(0, 10); }

class WallClock : public testing::Test {
 protected:
  WallClock() { set_wall_clock(0s); }
  ~WallClock() override { set_wall_clock(0s); }

  void start(Clock::duration hc_timeout) {
    config_.port = port_.number();
    config_.message = "OK";
    config_.hc_timeout = hc_timeout;
    daemon_.emplace([this] {
      run_daemon({.run_dir = dir_,
                  .tag = common::Tag("lb"),
                  .id = kId,
                  .config = config_,
                  .wait_first_probe = false});
      return 0;
    });
    // The port is open before the control socket is.
    ASSERT_TRUE(wait_until([this] { return tests::error_of([this] { status(); }).empty(); }));
  }
  void probe() const { EXPECT_EQ(tests::probe(port_.number()).bytes, "OK"); }
  Status status() const { return ask_status(dir_, kId, 20s); }
  bool flag_up() const { return common::flag_is_up(dir_, kId); }

  tests::TempDir temp_;
  tests::Port port_;
  common::Directory dir_ = tests::open_dir(temp_.path());
  Config config_;
  std::optional<tests::Child> daemon_;
};

// What all the other tests here rely on: the daemon sees the wall clock that is set.
TEST_F(WallClock, IsWhatTheDaemonPrints) {
  start(1h);
  std::string earlier;
  for (const auto beside : {0h, 24h, -24h}) {
    set_wall_clock(beside);
    const std::string before = today();
    probe();
    ASSERT_TRUE(status().last_probe);
    const std::string printed = status().last_probe->time.substr(0, 10);
    EXPECT_THAT(printed, AnyOf(before, today()));
    EXPECT_NE(printed, earlier);
    earlier = printed;
  }
}

TEST_F(WallClock, RaisesNoFlagByItsJumpsWhileProbesCome) {
  start(3s);
  const auto began = Clock::now();
  std::int64_t uptime = 0;
  for (int turn = 0; Clock::now() - began < 7s; ++turn) {
    set_wall_clock(24h * (turn % 3 - 1));
    probe();
    const Status seen = status();
    EXPECT_FALSE(seen.no_probe);
    EXPECT_FALSE(flag_up());
    EXPECT_THAT(seen.last_probe->age_ms, testing::AllOf(Ge(0), Lt(3000)));
    EXPECT_THAT(seen.uptime_ms, testing::AllOf(Ge(uptime), Lt(3'600'000)));
    uptime = seen.uptime_ms;
    std::this_thread::sleep_for(100ms);
  }
}

// Not a day later, nor at once.
TEST_F(WallClock, NeitherDelaysNorHastensTheFlag) {
  start(500ms);
  for (const auto beside : {-24h, 24h, 0h}) {
    const auto before = Clock::now();
    probe();
    set_wall_clock(beside);
    ASSERT_TRUE(wait_until([this] { return flag_up(); }));
    EXPECT_GE(Clock::now() - before, 500ms);
    probe();
    ASSERT_TRUE(wait_until([this] { return !flag_up(); }));
  }
}

TEST_F(WallClock, DoesNotChangeHowLongADrainLasts) {
  start(1h);
  const auto before = Clock::now();
  ask_drain(dir_, kId, 500ms, 20s);
  set_wall_clock(-24h);
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_GE(Clock::now() - before, 500ms);
}

}  // namespace
}  // namespace genapp::lbhc
