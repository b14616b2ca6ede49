#include "lbhc/address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace genapp::lbhc {
namespace {

sockaddr_storage v4(const char* text) {
  sockaddr_storage peer{};
  auto& in = reinterpret_cast<sockaddr_in&>(peer);
  in.sin_family = AF_INET;
  ::inet_pton(AF_INET, text, &in.sin_addr);
  return peer;
}

sockaddr_storage v6(const char* text) {
  sockaddr_storage peer{};
  auto& in = reinterpret_cast<sockaddr_in6&>(peer);
  in.sin6_family = AF_INET6;
  ::inet_pton(AF_INET6, text, &in.sin6_addr);
  return peer;
}

TEST(Address, IsWrittenAsPeopleDo) {
  EXPECT_EQ(Address::from_socket(v4("127.0.0.1")).text(), "127.0.0.1");
  EXPECT_EQ(Address::from_socket(v4("0.0.0.0")).text(), "0.0.0.0");
  EXPECT_EQ(Address::from_socket(v6("2001:db8::1")).text(), "2001:db8::1");
  EXPECT_EQ(Address::from_socket(v6("::")).text(), "::");
  EXPECT_EQ(Address::from_socket(v6("::1")).text(), "::1");
}

// A dual-stack socket sees 127.0.0.1 as ::ffff:127.0.0.1: the same prober.
TEST(Address, AMappedOneIsTheIpv4One) {
  EXPECT_EQ(Address::from_socket(v6("::ffff:10.1.2.3")), Address::from_socket(v4("10.1.2.3")));
  EXPECT_EQ(Address::from_socket(v6("::ffff:10.1.2.3")).text(), "10.1.2.3");
  EXPECT_EQ(mapped({10, 1, 2, 3}), Address::from_socket(v4("10.1.2.3")));
  EXPECT_FALSE(Address::from_socket(v4("10.1.2.3")) == Address::from_socket(v4("10.1.2.4")));
}

TEST(Address, AnotherFamilyHasNone) {
  sockaddr_storage unix_peer{};
  unix_peer.ss_family = AF_UNIX;
  EXPECT_EQ(Address::from_socket(unix_peer).text(), "::");
}

}  // namespace
}  // namespace genapp::lbhc
