#include "lbhc/control_request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;

TEST(ControlRequest, KnowsStatus) {
  const auto request = parse_control_request("status");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->kind, ControlRequest::Kind::status);
}

TEST(ControlRequest, KnowsDrainAndItsTime) {
  for (const auto& [text, time] : std::vector<std::pair<const char*, common::Clock::duration>>{
           {"drain 0", 0s}, {"drain 5", 5s}, {"drain 0.2", 200ms}, {"drain 3600", 3600s}}) {
    const auto request = parse_control_request(text);
    ASSERT_TRUE(request) << text;
    EXPECT_EQ(request->kind, ControlRequest::Kind::drain);
    EXPECT_EQ(request->length, time);
  }
}

TEST(ControlRequest, KnowsIgnoreAndItsTime) {
  for (const auto& [text, time] : std::vector<std::pair<const char*, common::Clock::duration>>{
           {"ignore 0", 0s}, {"ignore 0.2", 200ms}, {"ignore 10", kMostIgnore}}) {
    const auto request = parse_control_request(text);
    ASSERT_TRUE(request) << text;
    EXPECT_EQ(request->kind, ControlRequest::Kind::ignore);
    EXPECT_EQ(request->length, time);
  }
  for (const char* text : {"ignore", "ignore ", "ignore 10.1", "ignore 3600", "ignore -1",
                           "ignore nan", "ignore 1 ", "ignore  1", "ignored 1"}) {
    EXPECT_FALSE(parse_control_request(text)) << text;
  }
}

TEST(ControlRequest, KnowsCheckAndItsLease) {
  for (const auto& [text, time] : std::vector<std::pair<const char*, common::Clock::duration>>{
           {"check 0", 0s}, {"check 0.2", 200ms}, {"check 86400", kMostLease}}) {
    const auto request = parse_control_request(text);
    ASSERT_TRUE(request) << text;
    EXPECT_EQ(request->kind, ControlRequest::Kind::check);
    EXPECT_EQ(request->length, time);
  }
  for (const char* text : {"check", "check ", "check 86401", "check -1", "check x", "checks 1"}) {
    EXPECT_FALSE(parse_control_request(text)) << text;
  }
}

TEST(ControlRequest, KnowsOwnProbeAndItsPort) {
  const auto request = parse_control_request("own-probe 40123");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->kind, ControlRequest::Kind::own_probe);
  EXPECT_EQ(request->port, 40123);
  for (const char* text : {"own-probe", "own-probe ", "own-probe 0", "own-probe 65536",
                           "own-probe -1", "own-probe 1 ", "own-probe 1.5", "own-probe x"}) {
    EXPECT_FALSE(parse_control_request(text)) << text;
  }
}

TEST(ControlRequest, KnowsNothingElse) {
  for (const char* text : {"", " ", "STATUS", "status ", " status", "status\r", "stop", "drain",
                           "drain ", "drain x", "drain -1", "drain 3601", "drain nan", "drain inf",
                           "drain 1e9", "drain 1 ", "drain  1", "drain 1s", "drain +1"}) {
    EXPECT_FALSE(parse_control_request(text)) << text;
  }
  EXPECT_FALSE(parse_control_request(std::string(1000, 'x')));
  EXPECT_FALSE(parse_control_request(std::string_view("status\0", 7)));
  EXPECT_FALSE(parse_control_request(std::string_view("drain 1\0", 8)));
}

}  // namespace
}  // namespace genapp::lbhc
