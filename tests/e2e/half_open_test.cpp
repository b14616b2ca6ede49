// HAProxy's plain `check` answers the SYN-ACK with a reset. No handshake is ever complete, so
// accept() never tells of it and no program can count it as a probe. `linger` is the remedy.

#include <gtest/gtest.h>

#include "lbhc/status.hpp"
#include "tests/e2e/two_nodes.hpp"
#include "tests/e2e/ways.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

// Few checks in the time of a test: were HAProxy held up for 200 ms between its SYN and its reset,
// the kernel would complete the handshake by itself.
const TwoNodes::Way kPlainCheck{"plain_check", "", "check port @PORT inter 500ms", "", ""};

TEST(HalfOpenCheck, RestoreSeesZeroConnectionsAlthoughTheBalancerIsContent) {
  TwoNodes nodes(kPlainCheck, "hc_timeout = 3\n");
  nodes.balancer.start();
  Process restore = nodes.n1.start_action("restore", kTag, kId);
  EXPECT_TRUE(
      wait_until([&] { return nodes.balancer.status("n1") == "UP" || !restore.running(); }));
  EXPECT_EQ(nodes.balancer.stat("n1", "check_status"), "L4OK");
  const Result result = restore.wait();
  EXPECT_TRUE(failed_with_1(result));
  EXPECT_NE(result.err.find("zero connections"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find(std::to_string(nodes.port())), std::string::npos) << result.err;
}

TEST(HalfOpenCheck, TheDaemonSaysNeverProbedWhileTheBalancerSaysUp) {
  TwoNodes nodes(kPlainCheck, "hc_timeout = 2\nwait_first_probe = false\n");
  nodes.balancer.start();
  ASSERT_TRUE(succeeded(nodes.act(nodes.n1, "restore")));
  ASSERT_TRUE(nodes.balancer.shows("n1", "UP"));
  ASSERT_TRUE(wait_until([&] { return nodes.flag(nodes.n1); }));
  EXPECT_EQ(nodes.balancer.status("n1"), "UP");
  const auto status = lbhc::parse_status(nodes.n1.status(kId));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->probes, 0u);
  EXPECT_EQ(status->no_probe, "never probed");
  EXPECT_TRUE(failed_with_1(nodes.act(nodes.n1, "quickCheck")));
}

TEST(HalfOpenCheck, WithLingerTheSameResourceComesUp) {
  TwoNodes nodes(kTcpConnect, "hc_timeout = 3\n");
  nodes.balancer.start();
  EXPECT_TRUE(succeeded(nodes.act(nodes.n1, "restore")));
  EXPECT_TRUE(nodes.balancer.shows("n1", "UP"));
}

}  // namespace
}  // namespace genapp::tests
