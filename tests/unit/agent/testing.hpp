#pragma once

// A supervisor whose effects are made up and whose time is told by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/supervisor.hpp"

namespace genapp::agent {

class FakeEffects : public Effects {
 public:
  void run(const ResourceConfig& resource, const TaskRun& task) override {
    const std::string tag = resource.tag.text();
    EXPECT_FALSE(running.count(tag)) << tag << ": two tasks at once";
    running[tag] = task;
    if (task.task != Task::monitor && task.task != Task::open) {
      log.push_back(std::string(name_of(task.task)) + " " + tag);
      const auto record = kept.find(tag);
      EXPECT_TRUE(record != kept.end() && record->second.task == task.task)
          << tag << ": an agent that is killed now leaves no word of its " << name_of(task.task);
    }
  }
  void drop(const ResourceConfig& resource) override {
    EXPECT_EQ(running.at(resource.tag.text()).task, Task::monitor);
    running.erase(resource.tag.text());
  }
  void adopt(const ResourceConfig& resource, const TaskRun& task) override {
    running[resource.tag.text()] = task;
    log.push_back("adopt " + std::string(name_of(task.task)) + " " + resource.tag.text());
  }
  void watch(const ResourceConfig& resource, const MonitorConfig& monitor) override {
    EXPECT_TRUE(watched.insert(resource.tag.text() + "/" + monitor.name).second);
  }
  void unwatch(const ResourceConfig& resource, const std::string& monitor) override {
    EXPECT_EQ(watched.erase(resource.tag.text() + "/" + monitor), 1u);
  }
  void run_method(const ResourceConfig&, const Method& method) override {
    methods.push_back(method);
  }
  void keep(const ResourceConfig& resource, const Record& record) override {
    kept[resource.tag.text()] = record;
    all_kept.emplace_back(resource.tag.text(), record);
  }
  void forget(const ResourceConfig& resource) override {
    running.erase(resource.tag.text());
    kept.erase(resource.tag.text());
    log.push_back("forget " + resource.tag.text());
  }
  void tell(const Notice& notice) override { notices.push_back(notice); }

  std::map<std::string, TaskRun> running{};
  std::vector<std::string> log{};  // starts, stops, cleans
  std::set<std::string> watched{};
  std::vector<Method> methods{};
  std::map<std::string, Record> kept{};
  std::vector<std::pair<std::string, Record>> all_kept{};  // in their order
  std::vector<Notice> notices{};
};

class SupervisorTest : public testing::Test {
 protected:
  using Clock = common::Clock;
  using Strings = std::vector<std::string>;

  static ResourceConfig resource(const std::string& tag, Strings depends_on = {}) {
    ResourceConfig config{common::Tag(tag), common::Id(tag + "1"), "script"};
    config.depends_on = std::move(depends_on);
    return config;
  }
  static MonitorConfig monitor(const std::string& name) {
    MonitorConfig config;
    config.name = name;
    config.restart_interval = std::chrono::seconds(66);
    return config;
  }

  // Takes these, with what an earlier agent kept, and finds each offline, or online as told.
  void manage(const std::vector<ResourceConfig>& configs,
              const std::set<std::string>& online = {}) {
    set(configs);
    for (const ResourceConfig& config : configs) {
      if (!config.enabled) continue;
      end(config.tag.text(), Task::open, Ended::done);
      end(config.tag.text(), Task::monitor,
          online.count(config.tag.text()) ? Ended::done : Ended::failed);
    }
  }
  void set(const std::vector<ResourceConfig>& configs) {
    std::vector<Supervisor::Known> known;
    for (const ResourceConfig& config : configs) {
      const auto record = kept_before.find(config.tag.text());
      known.push_back(
          {config, record == kept_before.end() ? std::nullopt : std::optional(record->second)});
    }
    supervisor.set_resources(known, groups, now);
  }

  void end(const std::string& tag, Task task, Ended how, const std::string& reason = "") {
    const auto found = effects.running.find(tag);
    ASSERT_TRUE(found != effects.running.end()) << tag << ": nothing runs";
    ASSERT_EQ(found->second.task, task) << tag;
    effects.running.erase(found);
    supervisor.ended(tag, task, how, reason, now);
  }
  // What runs goes well, and so does all that follows from it: monitors see what was done.
  void let_go_well() {
    while (!effects.running.empty()) {
      const auto [tag, run] = *effects.running.begin();
      const State state = this->state(tag);
      const bool off = state == State::going_offline_wait || state == State::offline;
      end(tag, run.task, run.task == Task::monitor && off ? Ended::failed : Ended::done);
    }
  }
  void pass(Clock::duration time) {
    for (const auto until = now + time;;) {
      const auto due = supervisor.due();
      if (!due || *due > until) {
        now = until;
        return;
      }
      now = std::max(now, *due);
      supervisor.tick(now);
      let_go_well();
    }
  }

  Answer ask(Request request, const std::string& tag) {
    return supervisor.request(request, common::Tag(tag), now);
  }
  void saw(const std::string& tag, const std::string& name, bool healthy,
           const std::string& reason = "") {
    supervisor.monitor_saw(tag, name, {healthy, reason}, now);
  }

  ResourceView view(const std::string& tag) { return supervisor.view(tag).value(); }
  State state(const std::string& tag) { return view(tag).state; }
  // Whether a notice of the resource holds the text.
  bool told(const std::string& tag, const std::string& text) const {
    return std::ranges::any_of(effects.notices, [&](const Notice& one) {
      return one.tag == tag && one.text.find(text) != std::string::npos;
    });
  }
  std::string all_told() const {
    std::string all;
    for (const Notice& one : effects.notices) all += one.tag + ": " + one.text + "\n";
    return all;
  }

  FakeEffects effects{};
  Supervisor supervisor{effects};
  std::map<std::string, GroupConfig> groups{};
  std::map<std::string, Record> kept_before{};
  Clock::time_point now{std::chrono::hours(1)};
};

}  // namespace genapp::agent
