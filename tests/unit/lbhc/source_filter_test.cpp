#include "lbhc/source_filter.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

using testing::HasSubstr;
using tests::error_of;

Address address(const std::string& text) {
  sockaddr_storage peer{};
  auto& in = reinterpret_cast<sockaddr_in&>(peer);
  auto& in6 = reinterpret_cast<sockaddr_in6&>(peer);
  if (::inet_pton(AF_INET, text.c_str(), &in.sin_addr) == 1) {
    in.sin_family = AF_INET;
  } else if (::inet_pton(AF_INET6, text.c_str(), &in6.sin6_addr) == 1) {
    in6.sin6_family = AF_INET6;
  } else {
    throw std::runtime_error(text + " is no address");
  }
  return Address::from_socket(peer);
}

bool allowed(const std::vector<std::string>& entries, const std::string& source) {
  SourceFilter filter;
  for (const auto& entry : entries) filter.allow(entry);
  return filter.allows(address(source));
}

TEST(SourceFilter, LetsEverybodyInWhenEmpty) {
  EXPECT_TRUE(allowed({}, "10.0.0.1"));
  EXPECT_TRUE(allowed({}, "2001:db8::1"));
}

TEST(SourceFilter, KnowsSingleAddresses) {
  EXPECT_TRUE(allowed({"10.0.0.1"}, "10.0.0.1"));
  EXPECT_FALSE(allowed({"10.0.0.1"}, "10.0.0.2"));
  EXPECT_FALSE(allowed({"10.0.0.1"}, "2001:db8::1"));
  EXPECT_TRUE(allowed({"2001:db8::1"}, "2001:db8::1"));
  EXPECT_FALSE(allowed({"2001:db8::1"}, "2001:db8::2"));
  EXPECT_TRUE(allowed({"10.0.0.1", "10.0.0.9"}, "10.0.0.9"));
}

TEST(SourceFilter, SeesAMappedAddressAsTheIpv4One) {
  EXPECT_TRUE(allowed({"10.0.0.1"}, "::ffff:10.0.0.1"));
  EXPECT_TRUE(allowed({"10.0.0.0/8"}, "::ffff:10.9.9.9"));
  EXPECT_TRUE(allowed({"::ffff:10.0.0.1"}, "10.0.0.1"));
  // The same 32 bits elsewhere in IPv6 are somebody else.
  EXPECT_FALSE(allowed({"10.0.0.1"}, "::10.0.0.1"));
  EXPECT_FALSE(allowed({"0.0.0.0/0"}, "2001:db8::1"));
}

TEST(SourceFilter, KnowsTheEdgesOfNetworks) {
  EXPECT_TRUE(allowed({"10.1.2.0/23"}, "10.1.2.0"));
  EXPECT_TRUE(allowed({"10.1.2.0/23"}, "10.1.3.255"));
  EXPECT_FALSE(allowed({"10.1.2.0/23"}, "10.1.4.0"));
  EXPECT_FALSE(allowed({"10.1.2.0/23"}, "10.1.1.255"));
  EXPECT_TRUE(allowed({"10.0.0.4/31"}, "10.0.0.5"));
  EXPECT_FALSE(allowed({"10.0.0.4/31"}, "10.0.0.6"));
  EXPECT_TRUE(allowed({"10.0.0.4/32"}, "10.0.0.4"));
  EXPECT_FALSE(allowed({"10.0.0.4/32"}, "10.0.0.5"));
  EXPECT_TRUE(allowed({"128.0.0.0/1"}, "255.0.0.1"));
  EXPECT_FALSE(allowed({"128.0.0.0/1"}, "127.0.0.1"));
  EXPECT_TRUE(allowed({"0.0.0.0/0"}, "255.255.255.255"));
  EXPECT_TRUE(allowed({"2001:db8::/33"}, "2001:db8:7fff::1"));
  EXPECT_FALSE(allowed({"2001:db8::/33"}, "2001:db8:8000::1"));
  EXPECT_TRUE(allowed({"2001:db8::8/127"}, "2001:db8::9"));
  EXPECT_FALSE(allowed({"2001:db8::8/127"}, "2001:db8::a"));
  EXPECT_TRUE(allowed({"::/0"}, "2001:db8::1"));
}

TEST(SourceFilter, KnowsTheCloudsByName) {
  EXPECT_TRUE(allowed({"azure"}, "168.63.129.16"));
  EXPECT_FALSE(allowed({"azure"}, "168.63.129.17"));
  EXPECT_TRUE(allowed({"azure"}, "fe80::1234:5678:9abc"));
  EXPECT_TRUE(allowed({"gcp"}, "35.191.0.1"));
  EXPECT_TRUE(allowed({"gcp"}, "130.211.3.255"));
  EXPECT_FALSE(allowed({"gcp"}, "130.211.4.0"));
  EXPECT_FALSE(allowed({"gcp"}, "168.63.129.16"));
  EXPECT_TRUE(allowed({"gcp", "azure", "10.0.0.1"}, "10.0.0.1"));
}

TEST(SourceFilter, RefusesWhatIsNoSource) {
  const std::vector<std::string> wrong{
      "",
      " ",
      "/",
      "10.0.0.1/",
      "/8",
      "10.0.0.0/33",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "10.0.0",
      "10.0.0.256",
      "10.0.0.1 ",
      " 10.0.0.1",
      "010.0.0.1x",
      "aws",
      "Azure",
      "azure/32",
      "localhost",
      "2001:db8::/129",
      "2001:db8::g",
      "10.0.0.0/8x",
      "10.0.0.0/ 8",
      "any",
      "*",
  };
  for (const std::string& entry : wrong) {
    SourceFilter filter;
    EXPECT_THAT(error_of([&] { filter.allow(entry); }), HasSubstr("no named set")) << entry;
    EXPECT_TRUE(filter.allows(address("203.0.113.1"))) << entry;
  }
}

// 2^32 + 8, which 32 bits take for 8.
TEST(SourceFilter, RefusesAPrefixLongerThanAnyNumber) {
  for (const char* entry :
       {"10.0.0.0/4294967304", "2001:db8::/4294967328", "10.0.0.0/99999999999999999999"}) {
    SourceFilter filter;
    EXPECT_NE(error_of([&] { filter.allow(entry); }), "") << entry;
  }
}

// The interface could not be compared: the entry would let in more than it says.
TEST(SourceFilter, RefusesAnAddressOfOneInterface) {
  for (const char* entry : {"fe80::1%1", "fe80::1%lo", "fe80::1%", "fe80::%1/10", "10.0.0.1%1"}) {
    SourceFilter filter;
    EXPECT_THAT(error_of([&] { filter.allow(entry); }), HasSubstr("without %")) << entry;
    EXPECT_TRUE(filter.allows(address("203.0.113.1"))) << entry;
  }
}

// A string in TOML may hold a zero byte; what follows it must not be overlooked.
TEST(SourceFilter, RefusesAZeroByteInAnEntry) {
  for (const std::string& entry :
       {std::string("10.0.0.1\0x", 10), std::string("10.0.0.0\0x/8", 12)}) {
    SourceFilter filter;
    EXPECT_NE(error_of([&] { filter.allow(entry); }), "");
  }
}

TEST(SourceFilter, NamesTheNetworkThatWasProbablyMeant) {
  SourceFilter filter;
  EXPECT_THAT(error_of([&] { filter.allow("10.1.2.3/8"); }),
              testing::AllOf(HasSubstr("\"10.1.2.3/8\""), HasSubstr("10.0.0.0/8?")));
  EXPECT_THAT(error_of([&] { filter.allow("2001:db8::1/32"); }), HasSubstr("2001:db8::/32?"));
  EXPECT_NE(error_of([&] { filter.allow("10.0.0.1/0"); }), "");
}

}  // namespace
}  // namespace genapp::lbhc
