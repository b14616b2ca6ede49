#include "agent/control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

#include "common/error.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::agent {
namespace {

namespace json = boost::json;
using testing::HasSubstr;
using tests::error_of;

std::string why_control_refused(const std::string& line) {
  return error_of([&] { parse_control_request(line); });
}

TEST(ControlRequest, AsksForTheStatusOfAllOrOfOne) {
  EXPECT_FALSE(std::get<AskStatus>(parse_control_request("status")).tag);
  EXPECT_EQ(std::get<AskStatus>(parse_control_request("status lb:2")).tag->text(), "lb:2");
}

TEST(ControlRequest, AsksForEvents) {
  const auto asked = std::get<AskEvents>(parse_control_request("events 18446744073709551615 50"));
  EXPECT_EQ(asked.after, UINT64_MAX);
  EXPECT_EQ(asked.most, 50u);
}

TEST(ControlRequest, AsksForTheNewestOfTheEvents) {
  EXPECT_EQ((AskEvents{0, 10}).newest_after(0), 0u);
  EXPECT_EQ((AskEvents{0, 10}).newest_after(10), 0u);
  EXPECT_EQ((AskEvents{0, 10}).newest_after(25), 15u);
  EXPECT_EQ((AskEvents{20, 10}).newest_after(25), 20u);
  EXPECT_EQ((AskEvents{UINT64_MAX, 1}).newest_after(25), UINT64_MAX);
}

TEST(ControlRequest, OrdersAResourceOrAGroup) {
  const std::pair<const char*, Request> words[]{
      {"online", Request::online},   {"offline", Request::offline}, {"enable", Request::enable},
      {"disable", Request::disable}, {"clear", Request::clear},     {"suspend", Request::suspend},
      {"resume", Request::resume}};
  for (const auto& [word, request] : words) {
    const auto one = std::get<Order>(parse_control_request(std::string(word) + " db"));
    EXPECT_EQ(one.request, request) << word;
    EXPECT_FALSE(one.of_group);
    EXPECT_EQ(one.name, "db");
    const auto group = std::get<Order>(parse_control_request(std::string(word) + " group web"));
    EXPECT_EQ(group.request, request) << word;
    EXPECT_TRUE(group.of_group);
    EXPECT_EQ(group.name, "web");
  }
}

TEST(ControlRequest, AResourceMayBeCalledGroup) {
  const auto order = std::get<Order>(parse_control_request("online group"));
  EXPECT_FALSE(order.of_group);
  EXPECT_EQ(order.name, "group");
}

TEST(ControlRequest, Reloads) {
  EXPECT_TRUE(std::holds_alternative<Reload>(parse_control_request("reload")));
}

TEST(ControlRequest, RefusesTheRest) {
  for (const char* line : {"",
                           " ",
                           "Status",
                           "stat",
                           "status ../x",
                           "status a b",
                           "status ",
                           "events",
                           "events 1",
                           "events -1 5",
                           "events 1 0",
                           "events 1 10001",
                           "events x 5",
                           "events 1 5 5",
                           "events 1  5",
                           "events 18446744073709551616 5",
                           "online",
                           "online ",
                           "online a b",
                           "online group ../x",
                           "online group a b",
                           "online group ",
                           "reload now",
                           "online\ta"}) {
    EXPECT_NE(why_control_refused(line), "") << line;
  }
  EXPECT_THAT(why_control_refused("frob\x1b x"), HasSubstr("unknown request \"frob\\x1b\""));
}

class ControlAnswers : public testing::Test {
 protected:
  json::object answer_to(const std::string& line) {
    const std::string text = answer_control(line, handlers_);
    EXPECT_TRUE(text.ends_with("}\n")) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
    return json::parse(text).as_object();
  }

  Answer answer_{true, "it goes online"};
  std::optional<Order> ordered_;
  ControlHandlers handlers_{
      .status = [](const auto& tag) -> std::optional<std::string> {
        if (tag && tag->text() == "gone") return std::nullopt;
        return "{\"of\":\"" + (tag ? tag->text() : "all") + "\"}" + (tag ? "\n" : "");
      },
      .events =
          [](const AskEvents& asked) {
            return ControlHandlers::Events{
                "[{\"seq\":" + std::to_string(asked.after + asked.most) + "}]", 17};
          },
      .order =
          [this](const Order& order) {
            ordered_ = order;
            return answer_;
          },
      .reload = []() -> Answer { throw common::Error("genapp.toml:3: no"); },
      .pid = 4711};
};

TEST_F(ControlAnswers, HoldTheStatus) {
  EXPECT_EQ(answer_to("status"), json::parse(R"({"ok":true,"status":{"of":"all"}})"));
  EXPECT_EQ(answer_to("status db"), json::parse(R"({"ok":true,"status":{"of":"db"}})"));
  EXPECT_EQ(answer_to("status gone"),
            json::parse(R"({"ok":false,"error":"there is no resource \"gone\""})"));
}

TEST_F(ControlAnswers, HoldTheEventsAndWhoseTheyAre) {
  EXPECT_EQ(answer_to("events 5 10"),
            json::parse(R"({"ok":true,"pid":4711,"events":[{"seq":15}],"last":17})"));
}

TEST_F(ControlAnswers, ToAnOrderTellWhatBecomesOfIt) {
  EXPECT_EQ(answer_to("offline group web"), json::parse(R"({"ok":true,"text":"it goes online"})"));
  ASSERT_TRUE(ordered_);
  EXPECT_EQ(ordered_->request, Request::offline);
  EXPECT_TRUE(ordered_->of_group);
  answer_ = {false, "no\xff\n"};
  EXPECT_EQ(answer_to("online db"), json::parse(R"({"ok":false,"error":"no\\xff\\n"})"));
}

TEST_F(ControlAnswers, ToWhatFailedOrIsNotUnderstoodSayWhy) {
  EXPECT_EQ(answer_to("reload"), json::parse(R"({"ok":false,"error":"genapp.toml:3: no"})"));
  ordered_.reset();
  EXPECT_EQ(answer_to("online ../x").at("ok"), false);
  EXPECT_EQ(answer_to("\xff").at("ok"), false);
  EXPECT_FALSE(ordered_);
}

}  // namespace
}  // namespace genapp::agent
