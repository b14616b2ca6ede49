// Hosts without IPv6, of both kinds: switched off (addresses can't be had, sockets can) and not in
// the kernel at all (no sockets either). listen = "any" must serve IPv4 on both.

#include <gtest/gtest.h>

#include "tests/e2e/namespace.hpp"
#include "tests/e2e/two_nodes.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"

namespace genapp::tests {
namespace {

Command restore_on(Node& node, const Port& port, const std::string& listen) {
  node.lbhc(kTag, kId, port.text() + " OK",
            "wait_first_probe = false\nlisten = \"" + listen + "\"\n");
  return node.command({"restore", "-t", kTag, "-i", kId});
}

Command without_ipv6(Command command) {
  command.argv.insert(command.argv.begin(), GENAPP_NO_IPV6);
  return command;
}

TEST(WithoutIpv6, SwitchedOffAnyServesIpv4) {
  Node node;
  const Port port;
  const Namespace host(Namespace::Network::own,
                       "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
  ASSERT_NE(run(host.inside({{"nc", "-z", "::1", port.text()}})).exit_code, 0);
  ASSERT_TRUE(succeeded(run(host.inside(restore_on(node, port, "any")))));
  EXPECT_EQ(run(host.inside({{"nc", "127.0.0.1", port.text()}})).out, "OK");
  EXPECT_TRUE(succeeded(run(host.inside(node.command({"remove", "-t", kTag, "-i", kId})))));
}

TEST(WithoutIpv6, NotInTheKernelAnyServesIpv4) {
  Node node;
  const Port port;
  // The host really has none: curl can't even try.
  ASSERT_EQ(run(without_ipv6({{"nc", "-z", "-6", "::1", port.text()}})).exit_code, 1);
  ASSERT_TRUE(succeeded(run(without_ipv6(restore_on(node, port, "any")))));
  EXPECT_EQ(probe(port.number()).bytes, "OK");
  EXPECT_FALSE(accepts(port.number(), "::1"));
  EXPECT_TRUE(succeeded(node.action("quickCheck", kTag, kId)));
  EXPECT_TRUE(succeeded(node.action("remove", kTag, kId)));
}

TEST(WithoutIpv6, NotInTheKernelIpv6IsAnErrorThatSaysSo) {
  Node node;
  const Port port;
  const Result result = run(without_ipv6(restore_on(node, port, "ipv6")));
  EXPECT_TRUE(failed_with_1(result));
  EXPECT_NE(result.err.find("port " + port.text() + " (any IPv6 address)"), std::string::npos)
      << result.err;
  EXPECT_FALSE(accepts(port.number()));
}

}  // namespace
}  // namespace genapp::tests
