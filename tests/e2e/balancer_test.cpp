// What the health check is for: the balancer sends users to the active node, follows a failover,
// and the cluster notices when no probe comes or the daemon is dead. For every way of checking.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/two_nodes.hpp"
#include "tests/e2e/ways.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

class Balancer : public ::testing::TestWithParam<TwoNodes::Way> {};

TEST_P(Balancer, FollowsTheActiveNode) {
  TwoNodes nodes(GetParam());
  nodes.balancer.start();
  ASSERT_TRUE(nodes.balancer.shows("n1", "DOWN"));
  ASSERT_TRUE(nodes.balancer.shows("n2", "DOWN"));
  EXPECT_EQ(nodes.balancer.serving_node(), "none");

  ASSERT_TRUE(succeeded(nodes.act(nodes.n1, "restore")));
  ASSERT_TRUE(nodes.balancer.shows("n1", "UP"));
  EXPECT_EQ(nodes.balancer.status("n2"), "DOWN");
  EXPECT_EQ(nodes.balancer.serving_node(), "n1");

  ASSERT_TRUE(succeeded(nodes.act(nodes.n1, "remove")));
  ASSERT_TRUE(nodes.balancer.shows("n1", "DOWN"));
  ASSERT_TRUE(succeeded(nodes.act(nodes.n2, "restore")));
  ASSERT_TRUE(nodes.balancer.shows("n2", "UP"));
  EXPECT_EQ(nodes.balancer.status("n1"), "DOWN");
  EXPECT_EQ(nodes.balancer.serving_node(), "n2");
  EXPECT_TRUE(succeeded(nodes.act(nodes.n2, "quickCheck")));
}

TEST_P(Balancer, ItsSilenceRaisesTheFlagAndItsReturnClearsIt) {
  TwoNodes nodes(GetParam(), "hc_timeout = 2\n");
  nodes.balancer.start();
  ASSERT_TRUE(succeeded(nodes.act(nodes.n1, "restore")));
  EXPECT_TRUE(succeeded(nodes.act(nodes.n1, "quickCheck")));
  EXPECT_FALSE(nodes.flag(nodes.n1));

  nodes.balancer.stop();
  ASSERT_TRUE(wait_until([&] { return nodes.flag(nodes.n1); }));
  EXPECT_NE(read_file(nodes.n1.run_file("app1-hc-ng")).find("\"cause\":\"stopped after "),
            std::string::npos);
  EXPECT_TRUE(failed_with_1(nodes.act(nodes.n1, "quickCheck")));

  nodes.balancer.start();
  ASSERT_TRUE(wait_until([&] { return !nodes.flag(nodes.n1); }));
  EXPECT_TRUE(succeeded(nodes.act(nodes.n1, "quickCheck")));
  EXPECT_TRUE(nodes.balancer.shows("n1", "UP"));
}

TEST_P(Balancer, TakesAKilledDaemonOutAndARecoveredOneBackIn) {
  TwoNodes nodes(GetParam());
  nodes.balancer.start();
  ASSERT_TRUE(succeeded(nodes.act(nodes.n1, "restore")));
  ASSERT_TRUE(nodes.balancer.shows("n1", "UP"));

  nodes.kill_daemon(nodes.n1, SIGKILL);
  ASSERT_TRUE(nodes.balancer.shows("n1", "DOWN"));
  EXPECT_TRUE(failed_with_1(nodes.act(nodes.n1, "quickCheck")));

  EXPECT_TRUE(succeeded(nodes.act(nodes.n1, "recover")));
  EXPECT_TRUE(succeeded(nodes.act(nodes.n1, "quickCheck")));
  EXPECT_TRUE(nodes.balancer.shows("n1", "UP"));
}

INSTANTIATE_TEST_SUITE_P(Ways, Balancer,
                         ::testing::Values(kTcpConnect, kTcpExpect, kHttpOptions, kHttpGet,
                                           kHttpHead, kAgent),
                         [](const auto& way) { return way.param.name; });

}  // namespace
}  // namespace genapp::tests
