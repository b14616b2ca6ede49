#include "agent/run/hands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "agent/run/records.hpp"
#include "agent/run/task_file.hpp"
#include "agent/supervisor.hpp"
#include "common/process.hpp"
#include "tests/unit/agent/run/testing.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using common::Clock;
using testing::HasSubstr;

// The mind with its hands, on an application of scripts.
class HandsTest : public testing::Test, protected Bench {
 protected:
  HandsTest() {
    std::filesystem::create_directory(folder / "run");
    std::filesystem::permissions(folder / "run", std::filesystem::perms(0755));
    std::filesystem::create_directory(folder / "resources.d");
    tests::write_file(folder / "resources.d/db.toml",
                      "type = \"script\"\nid = \"db-id\"\ninfo = \"\"\n");
    script("restore", "echo x >>$D/starts; echo ISP >$D/run/db-id.state; : >$D/up");
    script("remove", "echo x >>$D/stops; rm -f $D/run/db-id.state $D/up");
    script("quickCheck", "test -e $D/up");
    run_dir.emplace(tests::open_dir(folder / "run"));
    around.open_files = 256;
    begin();
  }
  ~HandsTest() override { end(); }

  // An agent.
  void begin() {
    hands.emplace(Hands::Setup{io, *run_dir, around,
                               [this](const Notice& notice) { notices.push_back(notice); },
                               [this] { ++told; }});
    mind.emplace(*hands);
    hands->serve(*mind);
  }
  void end() {
    mind.reset();
    hands.reset();
  }
  void know(ResourceConfig config) {
    auto records = hands->read_records();
    const auto at = records.find(config.tag.text());
    std::optional<Record> record;
    if (at != records.end()) record = at->second;
    mind->set_resources({{std::move(config), record}}, {}, Clock::now());
  }
  ResourceConfig config() const {
    ResourceConfig resource = resource_of("db");
    resource.attributes.monitor_interval = 50ms;
    resource.attributes.offline_monitor_interval = 50ms;
    return resource;
  }
  State state() const { return mind->view("db")->state; }
  bool reaches(const std::function<bool()>& condition) {
    return run_until(io, [&] {
      const auto now = Clock::now();
      const auto due = mind->due();
      if (due && *due <= now) mind->tick(now);
      return condition();
    });
  }
  bool reaches(State wanted) {
    return reaches([&] { return state() == wanted; });
  }

  const tests::ScopedEnv config_dir{"GENAPP_CONFIG_DIR", folder.path()};
  std::optional<common::Directory> run_dir{};
  std::vector<Notice> notices{};
  std::optional<Hands> hands{};
  std::optional<Supervisor> mind{};
  int told = 0;
};

TEST_F(HandsTest, AResourceIsStartedWatchedAndStopped) {
  know(config());
  ASSERT_TRUE(reaches(State::offline));
  EXPECT_GT(told, 0);
  ASSERT_TRUE(mind->request(Request::online, common::Tag("db"), Clock::now()).accepted);
  ASSERT_TRUE(reaches(State::online));
  EXPECT_EQ(read("starts"), "x\n");
  ASSERT_TRUE(mind->request(Request::offline, common::Tag("db"), Clock::now()).accepted);
  ASSERT_TRUE(reaches(State::offline));
  EXPECT_EQ(read("stops"), "x\n");
}

TEST_F(HandsTest, TheNextAgentKnowsWhatWasKept) {
  know(config());
  ASSERT_TRUE(reaches(State::offline));
  ASSERT_TRUE(mind->request(Request::online, common::Tag("db"), Clock::now()).accepted);
  ASSERT_TRUE(reaches(State::online));
  end();
  begin();
  EXPECT_EQ(hands->read_records().count("db"), 1u);
  know(config());
  ASSERT_TRUE(reaches(State::online));
  EXPECT_EQ(read("starts"), "x\n");  // once
}

TEST_F(HandsTest, AStartUnderWayIsWaitedForByTheNextAgent) {
  script("restore",
         "echo x >>$D/starts; until test -e $D/go; do sleep 0.01; done; "
         "echo ISP >$D/run/db-id.state; : >$D/up");
  know(config());
  ASSERT_TRUE(reaches(State::offline));
  ASSERT_TRUE(mind->request(Request::online, common::Tag("db"), Clock::now()).accepted);
  ASSERT_TRUE(reaches([&] { return has("starts"); }));
  end();
  begin();
  know(config());
  run_for(io, 50ms);
  EXPECT_EQ(state(), State::going_online);
  tests::write_file(folder / "go", "x");
  ASSERT_TRUE(reaches(State::online));
  EXPECT_EQ(read("starts"), "x\n");
}

TEST_F(HandsTest, AMonitorsFailureRestartsIt) {
  ResourceConfig resource = config();
  MonitorConfig monitor;
  monitor.name = "alive";
  monitor.command = {script("is-alive", "test -e $D/alive")};
  monitor.monitor_interval = 500ms;  // which it may also take
  monitor.stabilization_interval = 10ms;
  monitor.restart_count = 1000;
  monitor.restart_interval = 600s;
  script("restore", "echo x >>$D/starts; echo ISP >$D/run/db-id.state; : >$D/up; : >$D/alive");
  resource.monitors = {monitor};
  know(resource);
  ASSERT_TRUE(reaches(State::offline));
  ASSERT_TRUE(mind->request(Request::online, common::Tag("db"), Clock::now()).accepted);
  ASSERT_TRUE(
      reaches([&] { return mind->view("db")->monitors.at(0).state == MonitorState::watching; }));
  run_for(io, 200ms);
  const std::string before = read("starts");
  std::filesystem::remove(folder / "alive");
  EXPECT_TRUE(reaches([&] { return read("starts").size() > before.size(); }));
  EXPECT_TRUE(reaches(State::online));
  EXPECT_TRUE(std::filesystem::exists(folder / "alive"));
}

TEST_F(HandsTest, AMethodsFailureIsANotice) {
  const ResourceConfig resource = resource_of("db");
  hands->run_method(resource, {"notify of monitor x",
                               {script("note", "echo $GENAPP_EVENT $GENAPP_REASON; exit 3")},
                               "notify",
                               "x",
                               "",
                               "it is down"});
  hands->run_method(
      resource, {"on_fallover of group g", {script("move", "exit 0")}, "fallover", "", "g", ""});
  ASSERT_TRUE(reaches([&] { return notices.size() == 2; }));
  EXPECT_THAT(notices,
              testing::UnorderedElementsAre(
                  testing::Field(&Notice::text, "notify of monitor x failed: notify it is down"),
                  testing::Field(&Notice::text, "on_fallover of group g has run")));
}

TEST_F(HandsTest, ARecordThatCantBeWrittenIsToldOnceAndWrittenLater) {
  const ResourceConfig resource = resource_of("db");
  std::filesystem::create_directory(folder / "run/agent/resources/db");
  hands->keep(resource, {});
  hands->keep(resource, {});
  EXPECT_EQ(notices.size(), 1u);
  std::filesystem::remove(folder / "run/agent/resources/db");
  hands->keep(resource, {});
  EXPECT_EQ(hands->read_records().at("db"), Record{});
  hands->forget(resource);
  EXPECT_TRUE(hands->read_records().empty());
}

TEST_F(HandsTest, WhatIsNoRecordIsPassedOver) {
  hands->keep(resource_of("db"), {});
  tests::write_file(folder / "run/agent/resources/half", "{\"enab");
  tests::write_file(folder / "run/agent/resources/-x", "");
  std::filesystem::create_directory(folder / "run/agent/resources/dir");
  EXPECT_EQ(hands->read_records().size(), 1u);
}

}  // namespace
}  // namespace genapp::agent
