#include "lbhc/local_listener.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "common/listener.hpp"
#include "lbhc/local_connection.hpp"
#include "tests/support/net.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using tests::error_of;

// As proc(5) has them, on a little-endian machine.
TEST(SocketRow, IsReadFromTheKernelsTables) {
  const auto v4 = parse_socket_row(
      "   0: 0100007F:D431 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 1 1 0 100");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->local.text(), "127.0.0.1");
  EXPECT_EQ(v4->port, 54321);
  EXPECT_TRUE(v4->listens);
  const auto v6 = parse_socket_row(
      "  12: B80D0120000000000000000001000000:0016 00000000000000000000000000000000:0000 01 0:0");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->local.text(), "2001:db8::1");
  EXPECT_EQ(v6->port, 22);
  EXPECT_FALSE(v6->listens);
}

TEST(SocketRow, IsNotReadFromAnythingElse) {
  for (const char* line :
       {"", "\n", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt",
        "0: 0100007F 00000000:0000 0A", "0: 010000:D431 00000000:0000 0A", "0: 0100007F:D431",
        "0: 0100007G:D431 00000000:0000 0A", "0: 0100007F:1D431 00000000:0000 0A",
        "0: 0100007F:D431 00000000:0000 xx", "0 0100007F:D431 00000000:0000 0A"}) {
    EXPECT_FALSE(parse_socket_row(line)) << line;
  }
}

TEST(FindListener, SeesWhateverProberOfTheAddressWouldReach) {
  const tests::Port port;
  EXPECT_FALSE(find_listener("any", port.number()));
  {
    const auto listener = common::open_listener("127.0.0.1", port.number());
    ASSERT_TRUE(find_listener("any", port.number()));
    EXPECT_EQ(find_listener("any", port.number())->text(), "127.0.0.1");
    EXPECT_TRUE(find_listener("127.0.0.1", port.number()));
    EXPECT_FALSE(find_listener("127.0.0.2", port.number()));
    EXPECT_FALSE(find_listener("::1", port.number()));
  }
  for (const char* listen : {"any", "ipv6", "ipv4"}) {
    const auto listener = common::open_listener(listen, port.number());
    EXPECT_TRUE(find_listener("any", port.number())) << listen;
    EXPECT_TRUE(find_listener("127.0.0.2", port.number())) << listen;
  }
  EXPECT_FALSE(find_listener("any", port.number()));
}

// A connection to that port of another host, say.
TEST(FindListener, MindsListenersOnly) {
  const tests::Port port;
  const auto listener = common::open_listener("127.0.0.1", port.number());
  const tests::Client client("127.0.0.1", port.number());
  const std::uint16_t own = [&] {
    sockaddr_storage here{};
    socklen_t length = sizeof here;
    ::getsockname(client.fd(), reinterpret_cast<sockaddr*>(&here), &length);
    return port_of(here);
  }();
  EXPECT_FALSE(find_listener("any", own));
}

TEST(LocalConnection, SaysWhatFailed) {
  const tests::Port port;
  LocalConnection refused("any", port.number());
  EXPECT_GT(refused.source_port(), 0);
  EXPECT_THAT(error_of([&] { refused.ask("", common::Clock::now() + 20s); }),
              HasSubstr("a probe of port " + port.text() + " at 127.0.0.1: Connection refused"));
  const auto silent = common::open_listener("any", port.number());
  LocalConnection waits("any", port.number());
  EXPECT_THAT(error_of([&] { waits.ask("GET", common::Clock::now() + 50ms); }),
              HasSubstr("no whole answer in time"));
}

}  // namespace
}  // namespace genapp::lbhc
