// remove with a drain: the balancer stops sending new users while old ones finish. The drain is
// longer than any test waits; once the balancer has shown what it makes of it, the test cuts it
// short, so that nothing depends on how fast the machine is.

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/e2e/two_nodes.hpp"
#include "tests/e2e/ways.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

constexpr char kLongDrain[] = "drain = 3600\n";

class Drain {
 public:
  explicit Drain(TwoNodes& nodes) : nodes_(nodes) {
    remove.emplace(nodes.n1.start_action("remove", kTag, kId));
  }
  void cut_short() { nodes_.kill_daemon(nodes_.n1, SIGTERM); }

  std::optional<Process> remove;

 private:
  TwoNodes& nodes_;
};

void bring_in_service(TwoNodes& nodes) {
  nodes.balancer.start();
  ASSERT_TRUE(succeeded(nodes.act(nodes.n1, "restore")));
  ASSERT_TRUE(nodes.balancer.shows("n1", "UP"));
}

TEST(DrainAtTheBalancer, HttpAnswers503WhileRemoveStillRuns) {
  TwoNodes nodes(kHttpOptions, kLongDrain);
  ASSERT_NO_FATAL_FAILURE(bring_in_service(nodes));
  Drain drain(nodes);
  ASSERT_TRUE(nodes.balancer.shows("n1", "DOWN"));
  EXPECT_EQ(nodes.balancer.stat("n1", "check_status"), "L7STS");
  EXPECT_EQ(nodes.balancer.stat("n1", "check_code"), "503");
  EXPECT_TRUE(drain.remove->running());
  drain.cut_short();
  EXPECT_TRUE(succeeded(drain.remove->wait()));
  EXPECT_TRUE(nodes.n1.run_files().empty());
}

TEST(DrainAtTheBalancer, TcpClosesThePortWhileRemoveStillRuns) {
  TwoNodes nodes(kTcpConnect, kLongDrain);
  ASSERT_NO_FATAL_FAILURE(bring_in_service(nodes));
  Drain drain(nodes);
  ASSERT_TRUE(nodes.balancer.shows("n1", "DOWN"));
  EXPECT_TRUE(drain.remove->running());
  EXPECT_GT(nodes.n1.daemon(kId), 0);
  drain.cut_short();
  EXPECT_TRUE(succeeded(drain.remove->wait()));
}

TEST(DrainAtTheBalancer, TheAgentDrainsAndTheNextRestoreTakesThatBack) {
  TwoNodes nodes(kAgent, kLongDrain);
  ASSERT_NO_FATAL_FAILURE(bring_in_service(nodes));
  Drain drain(nodes);
  ASSERT_TRUE(nodes.balancer.shows("n1", "DRAIN (agent)"));
  EXPECT_EQ(nodes.balancer.serving_node(), "none");
  EXPECT_TRUE(drain.remove->running());
  drain.cut_short();
  EXPECT_TRUE(succeeded(drain.remove->wait()));
  ASSERT_TRUE(nodes.balancer.shows("n1", "DOWN"));

  ASSERT_TRUE(succeeded(nodes.act(nodes.n1, "restore")));
  EXPECT_TRUE(nodes.balancer.shows("n1", "UP"));
  EXPECT_EQ(nodes.balancer.serving_node(), "n1");
}

}  // namespace
}  // namespace genapp::tests
