// The wall clock jumps a year to and fro: the agent's decisions do not notice, only what it prints.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <array>

#include "agent/genapp-agent/daemon.hpp"
#include "common/clock.hpp"
#include "tests/support/agent_node.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"
#include "tests/unit/wall_clock.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;
using tests::set_wall_clock;
using tests::wait_until;

constexpr auto kYear = 365 * 24h;

class AgentWallClock : public testing::Test {
 protected:
  AgentWallClock() { set_wall_clock(0s); }
  ~AgentWallClock() override { set_wall_clock(0s); }

  // In a process of its own, with the clock that is set here.
  void start() {
    agent_.emplace([this] {
      ::setenv("GENAPP_RUN_DIR", node_.node().run_dir().c_str(), 1);
      ::setenv("GENAPP_CONFIG_DIR", node_.node().config_dir().c_str(), 1);
      return static_cast<int>(
          run_daemon({tests::program("").substr(0, tests::program("").size() - 1)}));
    });
    ASSERT_TRUE(wait_until([this] { return node_.answers(); }));
  }
  std::size_t looks() const { return node_.count("web", "quickCheck"); }

  tests::AgentNode node_{};
  std::optional<tests::Child> agent_{};
};

TEST_F(AgentWallClock, AJumpOfAYearEitherWayChangesNothing) {
  node_.app("web",
            "monitor_interval = 0.1\noffline_monitor_interval = 0.1\nrestart_limit = 3\n"
            "online_trust_time = 3600\n[monitor.deep]\nkind = \"custom\"\ncommand = "
            "[\"/bin/true\"]\nmonitor_interval = 0.1\nstabilization_interval = 0.1\n");
  start();
  ASSERT_EQ(node_.genapp({"online", "web"}).exit_code, 0);
  const auto before = node_.processes("web");
  ASSERT_THAT(before, SizeIs(1));
  for (const std::chrono::seconds beside :
       std::array<std::chrono::seconds, 4>{kYear, 0s, -kYear, 0s}) {
    set_wall_clock(beside);
    const std::size_t so_far = looks();
    EXPECT_TRUE(wait_until([&] { return looks() >= so_far + 5; })) << "it has stopped looking";
    EXPECT_EQ(node_.view("web", "state"), "Online");
    EXPECT_EQ(node_.view("web", "faulted"), "false");
    EXPECT_EQ(node_.processes("web"), before);
  }
  EXPECT_EQ(node_.count("web", "restore"), 1u);
  EXPECT_EQ(node_.count("web", "remove"), 0u);
}

TEST_F(AgentWallClock, ADeathIsNoticedWhateverTheDate) {
  node_.app("web", "monitor_interval = 0.1\noffline_monitor_interval = 0.1\nrestart_limit = 3\n");
  start();
  ASSERT_EQ(node_.genapp({"online", "web"}).exit_code, 0);
  set_wall_clock(kYear);
  const pid_t first = node_.processes("web").at(0);
  ::kill(first, SIGKILL);
  EXPECT_TRUE(wait_until([&] {
    const auto all = node_.processes("web");
    return all.size() == 1 && all[0] != first && node_.view("web", "state") == "Online";
  }));
  // What the other test relies on: the agent sees the clock that is set.
  const std::string year = common::utc_text(common::WallClock::now()).substr(0, 4);
  EXPECT_THAT(node_.genapp({"events"}).out, HasSubstr(year + "-"));
  EXPECT_THAT(node_.genapp({"events"}).out, HasSubstr("restart 1 of 3"));
}

}  // namespace
}  // namespace genapp::agent
