#include "agent/status_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/unit/agent/views.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;
using testing::ElementsAre;
using testing::IsEmpty;

ResourceView web() {
  ResourceView one = resource_named("web");
  one.group = "shop";
  one.critical = true;
  one.depends_on = {"db"};
  one.state = State::going_online_wait;
  one.faulted = true;
  one.fault = "no \"answer\"";
  one.suspended = true;
  one.wanted = false;
  one.running = Task::monitor;
  one.waiting = Command::offline;
  one.goal = Goal::online;
  one.last_reason = "a\nb\xff";
  one.counts = {1, 2, 3, 4, 5};
  one.monitors = {{"front", MonitorKind::http, MonitorMode::both, MonitorState::failed, 2, "503"}};
  return one;
}

TEST(StatusJson, HasEveryKey) {
  History history;
  history.enter(kSteady - 2s, State::online, false);
  history.probed({kSteady - 1500ms, Ended::timed_out, 1234567ns});
  View view{{web()}, {{"shop", true, false}}};
  view.resources[0].history = &history;
  EXPECT_EQ(
      status_json(view, kAgent, kNow, Past::included),
      R"({"version":1,"now":"2023-11-14T22:13:20.000Z","agent":{"version":")" GENAPP_VERSION
      R"(","pid":42,"since":"2023-11-14T22:11:50.000Z"},)"
      R"("groups":[{"name":"shop","standby":true,"falling_over":false}],)"
      R"("resources":[{"tag":"web","id":"id-web","type":"script","group":"shop","critical":true,)"
      R"("depends_on":["db"],"state":"GoingOnlineWait","faulted":true,"fault":"no \"answer\"",)"
      R"("suspended":true,"wanted":false,"running":"monitor","waiting":"offline","goal":"online",)"
      R"("since":"2023-11-14T22:13:19.000Z","last_reason":"a\\nb\\xff","last_probe":"timed out",)"
      R"("counts":{"monitor_timeouts":1,"tolerated":2,"restarts":3,"retries":4,"waits":5},)"
      R"("monitors":[{"name":"front","kind":"http","mode":"both","state":"failed","restarts":2,)"
      R"("reason":"503"}],)"
      R"("stays":[{"since":"2023-11-14T22:13:18.000Z","state":"Online","faulted":false}],)"
      R"("probes":[{"at":"2023-11-14T22:13:18.500Z","how":"timed out","took_ms":1.235E0}]}]})"
      "\n");
}

TEST(StatusJson, WhatThereIsNotIsNullAndThePastIsLeftOut) {
  const View view{{resource_named("db")}, {}};
  const auto value = json::parse(status_json(view, kAgent, kNow, Past::left_out));
  const json::object& one = value.at("resources").at(0).as_object();
  for (const char* key :
       {"group", "fault", "running", "waiting", "goal", "last_reason", "last_probe"}) {
    EXPECT_TRUE(one.at(key).is_null()) << key;
  }
  EXPECT_FALSE(one.contains("stays"));
  EXPECT_FALSE(one.contains("probes"));
  EXPECT_TRUE(value.at("groups").as_array().empty());
}

// A reader of the feed.
class Reader {
 public:
  // What it is told now, in parts: the tags.
  std::vector<std::string> read(StatusFeed& feed, const View& view, std::size_t most = 100'000) {
    std::vector<std::string> tags;
    feed.update(view);
    whole = groups = false;
    parts = 0;
    for (bool more = true; more;) {
      const auto part = feed.after(read_, most, view, kAgent, kNow);
      read_ = part.read;
      more = part.more;
      if (part.json.empty()) continue;
      ++parts;
      const auto value = json::parse(part.json);
      EXPECT_EQ(value.as_object().contains("more"), more);
      whole = whole || value.as_object().contains("whole");
      groups = groups || value.as_object().contains("groups");
      for (const auto& one : value.at("resources").as_array()) {
        tags.emplace_back(one.at("tag").as_string());
      }
      if (parts > 1000) throw std::runtime_error("there is no end");
    }
    return tags;
  }
  bool whole = false;
  bool groups = false;
  int parts = 0;

 private:
  std::uint64_t read_ = 0;
};

View three() {
  return {{resource_named("a"), resource_named("b"), resource_named("c")}, {{"g", false, false}}};
}

TEST(StatusFeed, TellsAllAndThenWhatHasChanged) {
  StatusFeed feed;
  Reader reader;
  View view = three();
  EXPECT_THAT(reader.read(feed, view), ElementsAre("a", "b", "c"));
  EXPECT_TRUE(reader.whole);
  EXPECT_TRUE(reader.groups);
  EXPECT_THAT(reader.read(feed, view), IsEmpty());
  EXPECT_EQ(reader.parts, 0);
  view.resources[1].state = State::online;
  EXPECT_THAT(reader.read(feed, view), ElementsAre("b"));
  EXPECT_FALSE(reader.whole);
  EXPECT_FALSE(reader.groups);
  view.groups[0].standby = true;
  EXPECT_THAT(reader.read(feed, view), IsEmpty());
  EXPECT_TRUE(reader.groups);
  Reader second;
  EXPECT_THAT(second.read(feed, view), ElementsAre("a", "c", "b"))
      << "in the order of their changes";
}

TEST(StatusFeed, AnEmptyNodeIsToldOnce) {
  StatusFeed feed;
  Reader reader;
  EXPECT_THAT(reader.read(feed, View{}), IsEmpty());
  EXPECT_TRUE(reader.whole);
  reader.read(feed, View{});
  EXPECT_EQ(reader.parts, 0);
}

TEST(StatusFeed, EveryFieldThatIsShownCounts) {
  using Change = std::function<void(ResourceView&)>;
  History one_stay;
  one_stay.enter(kSteady, State::online, false);
  History with_probe = one_stay;
  with_probe.probed({kSteady, Ended::done, 1ms});
  const std::vector<Change> changes{
      [](auto& one) { one.id = "x"; },
      [](auto& one) { one.type = "lbhc"; },
      [](auto& one) { one.group = "g"; },
      [](auto& one) { one.critical = true; },
      [](auto& one) { one.depends_on = {"x"}; },
      [](auto& one) {
        one.depends_on = {"x", ""};
      },
      [](auto& one) { one.state = State::online; },
      [](auto& one) { one.faulted = true; },
      [](auto& one) { one.fault = "x"; },
      [](auto& one) { one.suspended = true; },
      [](auto& one) { one.wanted = false; },
      [](auto& one) { one.running = Task::open; },
      [](auto& one) { one.running = Task::start; },
      [](auto& one) { one.waiting = Command::enable; },
      [](auto& one) { one.goal = Goal::online; },
      [](auto& one) { one.since += 1s; },
      [](auto& one) { one.last_reason = "x"; },
      [](auto& one) { one.counts.monitor_timeouts = 1; },
      [](auto& one) { one.counts.tolerated = 1; },
      [](auto& one) { one.counts.restarts = 1; },
      [](auto& one) { one.counts.retries = 1; },
      [](auto& one) { one.counts.waits = 1; },
      [](auto& one) { one.monitors = {MonitorView{"m"}}; },
      [](auto& one) { one.monitors = {MonitorView{"n"}}; },
      [](auto& one) { one.monitors[0].kind = MonitorKind::smtp; },
      [](auto& one) { one.monitors[0].mode = MonitorMode::both; },
      [](auto& one) { one.monitors[0].state = MonitorState::failed; },
      [](auto& one) { one.monitors[0].restarts = 1; },
      [](auto& one) { one.monitors[0].reason = "x"; },
      [&](auto& one) { one.history = &one_stay; },
      [&](auto& one) { one.history = &with_probe; },
  };
  StatusFeed feed;
  Reader reader;
  View view = three();
  reader.read(feed, view);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    changes[i](view.resources[2]);
    EXPECT_THAT(reader.read(feed, view), ElementsAre("c")) << "change " << i;
  }
}

TEST(StatusFeed, ComesInPartsAndLosesNothingThatChangesMeanwhile) {
  StatusFeed feed;
  View view = three();
  Reader reader;
  EXPECT_THAT(reader.read(feed, view, 10), ElementsAre("a", "b", "c"));
  EXPECT_EQ(reader.parts, 3);

  feed.update(view);
  const auto first = feed.after(0, 10, view, kAgent, kNow);
  ASSERT_TRUE(first.more);
  view.resources[0].faulted = true;  // which was told already
  feed.update(view);
  const auto rest = feed.after(first.read, 100'000, view, kAgent, kNow);
  EXPECT_FALSE(rest.more);
  const auto resources = json::parse(rest.json).at("resources").as_array();
  ASSERT_EQ(resources.size(), 3u);
  EXPECT_EQ(resources[2].at("tag"), "a");
  EXPECT_EQ(resources[2].at("faulted"), true);
}

TEST(StatusFeed, WhenOneIsGoneReadersBeginAnewAndComeToAnEnd) {
  StatusFeed feed;
  Reader reader;
  View view = three();
  reader.read(feed, view);
  view.resources.erase(view.resources.begin());
  EXPECT_THAT(reader.read(feed, view, 10), ElementsAre("b", "c"));
  EXPECT_TRUE(reader.whole);
  EXPECT_EQ(reader.parts, 2);
  EXPECT_THAT(reader.read(feed, view), IsEmpty());
  view.resources[0].faulted = true;
  EXPECT_THAT(reader.read(feed, view), ElementsAre("b"));
  EXPECT_FALSE(reader.whole);
}

TEST(StatusFeed, AReaderOfAnEarlierAgentBeginsAnew) {
  StatusFeed feed;
  feed.update(three());
  EXPECT_TRUE(json::parse(feed.after(999, 10'000, three(), kAgent, kNow).json)
                  .as_object()
                  .contains("whole"));
}

}  // namespace
}  // namespace genapp::agent
