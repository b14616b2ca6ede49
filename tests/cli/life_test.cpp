// One resource's life, in the order in which a user meets it.

#include <gtest/gtest.h>

#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

TEST(Life, RestoreWaitsForTheFirstProbeThenTheDaemonServes) {
  Node node;
  const Port port;
  node.lbhc("lb", "app1", port.text() + " OK");
  Process restore = node.start_action("restore", "lb", "app1");
  ASSERT_TRUE(wait_until([&] { return accepts(port.number()); })) << restore.err();
  const Result result = restore.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(probe(port.number()).bytes, "OK");
  EXPECT_EQ(node.action("quickCheck", "lb", "app1").exit_code, 0);
  const Result removed = node.action("remove", "lb", "app1");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_FALSE(accepts(port.number()));
  EXPECT_TRUE(node.run_files().empty());
}

}  // namespace
}  // namespace genapp::tests
