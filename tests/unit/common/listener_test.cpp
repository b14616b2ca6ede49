#include "common/listener.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/support/net.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::accepts;
using tests::error_of;
using tests::Port;

TEST(Listener, AnyTakesBothFamilies) {
  const Port port;
  const auto fd = open_listener("any", port.number());
  EXPECT_TRUE(accepts(port.number(), "127.0.0.1"));
  EXPECT_TRUE(accepts(port.number(), "::1"));
}

TEST(Listener, OneFamilyTakesThatAlone) {
  const Port port;
  {
    const auto fd = open_listener("ipv4", port.number());
    EXPECT_TRUE(accepts(port.number(), "127.0.0.1"));
    EXPECT_FALSE(accepts(port.number(), "::1"));
  }
  const auto fd = open_listener("ipv6", port.number());
  EXPECT_TRUE(accepts(port.number(), "::1"));
  EXPECT_FALSE(accepts(port.number(), "127.0.0.1"));
}

TEST(Listener, AnAddressTakesThatAlone) {
  const Port port;
  {
    const auto fd = open_listener("127.0.0.2", port.number());
    EXPECT_TRUE(accepts(port.number(), "127.0.0.2"));
    EXPECT_FALSE(accepts(port.number(), "127.0.0.1"));
  }
  const auto fd = open_listener("::1", port.number());
  EXPECT_TRUE(accepts(port.number(), "::1"));
  EXPECT_FALSE(accepts(port.number(), "127.0.0.1"));
}

TEST(Listener, NeitherBlocksNorIsInherited) {
  const Port port;
  const auto fd = open_listener("any", port.number());
  EXPECT_TRUE(::fcntl(fd.get(), F_GETFL) & O_NONBLOCK);
  EXPECT_TRUE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC);
}

// 200 clients whom nobody accepts: with a short backlog most of them would hang in SYN.
TEST(Listener, HasALongBacklog) {
  const Port port;
  const auto fd = open_listener("ipv4", port.number());
  std::vector<common::Fd> clients;
  for (int i = 0; i < 200; ++i) {
    clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port.number());
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(clients.back().get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  int waiting = 0;
  while (common::Fd(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC))) ++waiting;
  EXPECT_EQ(waiting, 200);
}

TEST(Listener, SaysThatThePortIsInUse) {
  const Port port;
  const auto first = open_listener("any", port.number());
  for (const char* listen : {"any", "ipv4", "ipv6", "127.0.0.1", "::1"}) {
    EXPECT_THAT(error_of([&] { open_listener(listen, port.number()); }),
                AllOf(HasSubstr("port " + port.text()), HasSubstr("in use")))
        << listen;
  }
}

// A daemon that is restarted finds its old connections in TIME_WAIT.
TEST(Listener, IsNotKeptOutByOldConnections) {
  const Port port;
  auto fd = open_listener("any", port.number());
  tests::Client client("127.0.0.1", port.number());
  common::Fd accepted(::accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(accepted);
  accepted.close();  // the server closes first: TIME_WAIT is on its side
  EXPECT_TRUE(client.receive().ended);
  client.close();
  fd.close();
  EXPECT_EQ(error_of([&] { open_listener("any", port.number()); }), "");
}

TEST(Listener, SaysThatTheAddressIsNotOurs) {
  const Port port;
  for (const char* listen : {"203.0.113.1", "2001:db8::1"}) {
    EXPECT_THAT(error_of([&] { open_listener(listen, port.number()); }),
                AllOf(HasSubstr(listen), HasSubstr("not one of this host's")));
  }
}

TEST(Listener, SaysThatThePortIsPrivileged) {
  tests::Child child([] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 2;
    const std::string problem = error_of([] { open_listener("any", 81); });
    return problem.find("port 81") != std::string::npos &&
                   problem.find("permission denied") != std::string::npos
               ? 0
               : 1;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Listener, RefusesWhatIsNoAddress) {
  for (const char* listen : {"", "eth0", "localhost", "127.0.0.1:80", "Any", "1.2.3"}) {
    EXPECT_THAT(error_of([&] { open_listener(listen, 1); }), HasSubstr("is no address")) << listen;
  }
}

}  // namespace
}  // namespace genapp::common
