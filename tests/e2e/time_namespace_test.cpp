// Time namespaces (time_namespaces(7)): CLOCK_MONOTONIC and the time since boot are days ahead, as
// for a container that was moved here. /proc shows start times by the reader's own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/support/lbhc_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kTenDays[] = "864000";

// The same action where it is ten days later.
Command ten_days_ahead(LbhcNode& node, const std::string& action) {
  std::vector<std::string> argv{"/usr/bin/unshare", "--time", "--fork",     "--kill-child",
                                "--monotonic",      kTenDays, "--boottime", kTenDays};
  if (::geteuid() != 0) argv.insert(argv.end(), {"--user", "--map-root-user"});
  argv.insert(argv.end(), {"--", program(action), "-t", "lb", "-i", "app1"});
  return node.node().command(argv);
}

TEST(TimeNamespace, ALifeTenDaysAhead) {
  LbhcNode node("hc_timeout = 1");
  Process restore(ten_days_ahead(node, "restore"));
  ASSERT_TRUE(wait_until([&] { return !restore.running() || accepts(node.port()); }));
  const Result restored = restore.wait();
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(probe(node.port()).bytes, "OK");
  ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
  EXPECT_THAT(run(ten_days_ahead(node, "quickCheck")).err, HasSubstr("no probe for HC_TIMEOUT"));
  EXPECT_TRUE(accepts(node.port()));
  EXPECT_TRUE(wait_until([&] { return !node.node().has("app1-hc-ng"); }));
  const Result removed = run(ten_days_ahead(node, "remove"));
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_THAT(node.node().run_files(), IsEmpty());
  EXPECT_FALSE(accepts(node.port()));
}

// The daemon's start time is another number there. Then the process can't be proved to be the
// daemon: no signal, and no 0 for what still serves.
TEST(TimeNamespace, ARemoveFromAnotherSaysSoAndTouchesNothing) {
  LbhcNode node;
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  const Result removed = run(ten_days_ahead(node, "remove"));
  EXPECT_EQ(removed.exit_code, 1);
  EXPECT_THAT(removed.err, HasSubstr("time namespace"));
  EXPECT_EQ(node.node().daemon("app1"), daemon);
  EXPECT_EQ(node.state(), "ISP");
  EXPECT_EQ(probe(node.port()).bytes, "OK");
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_THAT(node.node().run_files(), IsEmpty());
}

// Asking needs no start time: the lock and the control socket tell.
TEST(TimeNamespace, AQuickCheckFromAnotherTellsTheTruth) {
  LbhcNode node;
  node.restore();
  const Result well = run(ten_days_ahead(node, "quickCheck"));
  EXPECT_EQ(well.exit_code, 0) << well.err;
  ::kill(node.node().daemon("app1"), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node.node().daemon("app1") == 0; }));
  EXPECT_THAT(run(ten_days_ahead(node, "quickCheck")).err, HasSubstr("daemon is not running"));
  const Result removed = run(ten_days_ahead(node, "remove"));
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
}

TEST(TimeNamespace, ARecoverFromAnotherDoesNotReplaceWhatItCanNotEnd) {
  LbhcNode node;
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  ::kill(daemon, SIGSTOP);
  const Result recovered = run(ten_days_ahead(node, "recover"));
  EXPECT_EQ(recovered.exit_code, 1);
  EXPECT_THAT(recovered.err, HasSubstr("time namespace"));
  EXPECT_EQ(node.node().daemon("app1"), daemon);
}

}  // namespace
}  // namespace genapp::tests
