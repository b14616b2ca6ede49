#include "agent/web/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace genapp::agent {
namespace {

using testing::HasSubstr;

TEST(PageAddress, IsAnAddressAndAPort) {
  EXPECT_EQ(parse_page_address("127.0.0.1:9470").host, "127.0.0.1");
  EXPECT_EQ(parse_page_address("127.0.0.1:9470").port, 9470);
  EXPECT_EQ(parse_page_address("[::1]:80").host, "::1");
  EXPECT_EQ(parse_page_address("[::1]:80").port, 80);
  EXPECT_EQ(parse_page_address("localhost:0").host, "127.0.0.1");
  EXPECT_EQ(parse_page_address("0.0.0.0:65535").port, 65535);
}

TEST(PageAddress, AnythingElseIsToldWithHowToWriteIt) {
  for (const char* text :
       {"", ":", ":80", "9470", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:80x", "127.0.0.1: 80", "::1:80", "[::1]", "[::1", "[::1]x:80", "[127.0.0.1]:80",
        "example.com:80", "127.0.0.1:80:80", "127.0.0.1:80\n"}) {
    try {
      parse_page_address(text);
      ADD_FAILURE() << text << " was taken";
    } catch (const common::Error& problem) {
      EXPECT_THAT(problem.what(), HasSubstr("write ADDRESS:PORT")) << text;
    }
  }
}

TEST(OwnHost, IsAnAddressOrLocalhost) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:9470", "192.168.7.1:80", "[::1]", "[::1]:9470",
                           "localhost", "LocalHost:9470"}) {
    EXPECT_TRUE(is_own_host(host)) << host;
  }
}

TEST(OwnHost, IsNoName) {
  for (const char* host :
       {"", "example.com", "example.com:9470", "localhost.example.com", "127.0.0.1.example.com",
        "localhost.", "xlocalhost", "::1", "[::1", "[localhost]", "[127.0.0.1]", "127.1",
        "0x7f.0.0.1", "[]", "127.0.0.1 ", "[::1]:94x", "[::1]x", "127.0.0.1:x"}) {
    EXPECT_FALSE(is_own_host(host)) << host;
  }
  EXPECT_FALSE(is_own_host(std::string_view("[::1\0.example.com]", 18)));
}

TEST(Query, ValuesAreFound) {
  EXPECT_EQ(query_value("/api/events?after=5", "after"), "5");
  EXPECT_EQ(query_value("/api/events?x=1&after=5&y", "after"), "5");
  EXPECT_EQ(query_value("/api/events?after=", "after"), "");
  for (const char* none : {"/api/events", "/?", "/?after", "/?afterx=5", "/?xafter=5", "/?&&&"}) {
    EXPECT_EQ(query_value(none, "after"), "") << none;
  }
}

TEST(Query, NumbersAreDigits) {
  EXPECT_EQ(number_or_zero("17"), 17u);
  EXPECT_EQ(number_or_zero("18446744073709551615"), 18446744073709551615u);
  for (const char* none : {"", "-1", "+1", "1x", " 1", "18446744073709551616"}) {
    EXPECT_EQ(number_or_zero(none), 0u) << none;
  }
}

}  // namespace
}  // namespace genapp::agent
