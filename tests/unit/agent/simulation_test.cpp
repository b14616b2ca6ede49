// A made-up world at random: resources with dependencies, groups and monitors whose applications
// start, fail, hang and die by dice, commands at any time, and an agent that is killed between any
// two of its deeds. What must hold, holds after every step; and once the world is calm, everything
// comes to rest.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "agent/supervisor.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using Clock = common::Clock;

constexpr int kResources = 6;
constexpr int kSteps = 1500;
constexpr int kCalmSteps = 3000;

// SIGKILL of the agent.
struct Killed {};

std::string nth(int n) { return "r" + std::to_string(n); }

class World : public Effects {
 public:
  explicit World(unsigned seed) : dice_(seed) {
    make_resources();
    begin_agent();
  }

  void step() {
    try {
      act();
    } catch (const Killed&) {
      begin_agent();
    }
    check();
  }

  // Nothing goes wrong any more.
  void calm_down() {
    calm_ = true;
    for (auto& [tag, app] : apps_) app.hangs = false;
    for (int i = 0; i < kCalmSteps && !at_rest(); ++i) {
      if (running_.empty()) {
        tick();
      } else {
        end(std::string(running_.begin()->first));
      }
      check();
    }
    EXPECT_TRUE(at_rest()) << said();
  }

  std::string said() const {
    std::string text;
    for (const auto& line : log_) text += line + "\n";
    return text;
  }
  bool failed() const { return testing::Test::HasFailure(); }

  // ---- Effects

  void run(const ResourceConfig& resource, const TaskRun& task) override {
    const std::string& tag = resource.tag.text();
    const bool outlives = task.task != Task::monitor && task.task != Task::open;
    if (outlives) may_die();
    say(tag + ": " + std::string(name_of(task.task)) + " begins");
    EXPECT_FALSE(running_.count(tag)) << tag << ": two tasks at once\n" << said();
    if (task.task == Task::start) check_start(resource);
    running_[tag] = task;
    if (outlives) may_die();
  }
  void drop(const ResourceConfig& resource) override {
    EXPECT_EQ(running_.at(resource.tag.text()).task, Task::monitor) << said();
    running_.erase(resource.tag.text());
  }
  void adopt(const ResourceConfig& resource, const TaskRun& task) override {
    const std::string& tag = resource.tag.text();
    say(tag + ": " + std::string(name_of(task.task)) + " is adopted");
    const auto orphan = orphans_.find(tag);
    EXPECT_FALSE(running_.count(tag)) << said();
    if (orphan != orphans_.end()) {
      EXPECT_EQ(orphan->second.task, task.task) << tag << "\n" << said();
      running_[tag] = orphan->second;
      unknown_end_.insert(tag);
      orphans_.erase(orphan);
      return;
    }
    running_[tag] = task;
    if (task.task == Task::start && apps_.at(tag).in_service) finished_.insert(tag);
  }
  void watch(const ResourceConfig& resource, const MonitorConfig&) override {
    EXPECT_TRUE(watched_.insert(resource.tag.text()).second) << said();
  }
  void unwatch(const ResourceConfig& resource, const std::string&) override {
    EXPECT_EQ(watched_.erase(resource.tag.text()), 1u) << said();
  }
  void run_method(const ResourceConfig& resource, const Method& method) override {
    if (method.argv.front() != "/bin/move") return;
    say(resource.tag.text() + ": given over");
    EXPECT_EQ(seen(resource.tag.text()), State::offline) << said();
    if (method.group.empty() || !resource.critical) return;
    for (const auto& [tag, config] : configs_) {
      if (config.group != resource.group) continue;
      const State state = seen(tag);
      EXPECT_TRUE(state == State::offline || state == State::detached)
          << tag << " is " << name_of(state) << " while its group is given over\n"
          << said();
    }
  }
  void keep(const ResourceConfig& resource, const Record& record) override {
    may_die();
    kept_[resource.tag.text()] = parse_record(format_record(record)).value();
    may_die();
  }
  void forget(const ResourceConfig&) override {}
  void tell(const Notice& notice) override { say(notice.tag + ": " + notice.text); }

 private:
  struct App {
    bool up = false;
    bool hangs = false;
    bool in_service = false;  // what restore and remove record
    bool dirty = false;       // something went wrong with it since it was last seen
  };

  int roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(dice_); }
  bool chance(int percent) { return !calm_ && roll(100) < percent; }
  void say(std::string line) {
    log_.push_back(std::move(line));
    if (log_.size() > 200) log_.erase(log_.begin(), log_.begin() + 100);
  }
  State seen(const std::string& tag) const { return agent_->view(tag)->state; }
  void may_die() {
    if (mortal_ && chance(1)) {
      say("-- the agent is killed");
      throw Killed();
    }
  }

  void make_resources() {
    for (int n = 0; n < kResources; ++n) {
      ResourceConfig config{common::Tag(nth(n)), common::Id(nth(n)), "script"};
      Attributes& a = config.attributes;
      a.restart_limit = static_cast<std::size_t>(roll(3));
      a.tolerance_limit = static_cast<std::size_t>(roll(2));
      a.online_retry_limit = static_cast<std::size_t>(roll(2));
      a.online_wait_limit = static_cast<std::size_t>(roll(3));
      a.offline_wait_limit = static_cast<std::size_t>(roll(2));
      a.fault_on_monitor_timeouts = static_cast<std::size_t>(roll(3));
      a.offline_monitor_interval = roll(4) == 0 ? 0s : 60s;
      config.critical = roll(3) == 0;
      config.auto_start = roll(3) == 0;
      config.enabled = roll(6) != 0;
      config.restart_by = roll(3) == 0 ? RestartBy::recover : RestartBy::restore;
      if (roll(3) != 0) config.group = roll(2) == 0 ? "odd" : "even";
      config.on_fallover = {"/bin/move"};
      for (int other = 0; other < n; ++other) {
        if (roll(4) == 0) config.depends_on.push_back(nth(other));
      }
      if (roll(2) == 0) {
        MonitorConfig monitor;
        monitor.name = "m";
        monitor.restart_count = static_cast<std::size_t>(roll(3));
        monitor.restart_interval = 66s;
        monitor.failure_action = roll(2) == 0 ? FailureAction::notify : FailureAction::fallover;
        config.monitors.push_back(monitor);
      }
      apps_[nth(n)].up = false;
      configs_.emplace(nth(n), std::move(config));
    }
    groups_["odd"] = {roll(3) == 0, {"/bin/move"}};
    groups_["even"] = {false, {"/bin/move"}};
  }

  // What the agent before has begun goes on; its monitors end with it.
  void begin_agent() {
    for (auto& [tag, task] : running_) {
      if (task.task == Task::monitor || task.task == Task::open) continue;
      // An adopted one whose end nobody will tell again.
      if (finished_.count(tag)) continue;
      orphans_[tag] = task;
    }
    running_.clear();
    watched_.clear();
    unknown_end_.clear();
    finished_.clear();
    say("-- an agent begins");
    agent_ = std::make_unique<Supervisor>(*this);
    mortal_ = false;  // its beginning is made again until it succeeds, with the same result
    give_resources();
    mortal_ = true;
  }

  void give_resources() {
    std::vector<Supervisor::Known> known;
    for (const auto& [tag, config] : configs_) {
      const auto record = kept_.find(tag);
      known.push_back(
          {config, record == kept_.end() ? std::nullopt : std::optional(record->second)});
    }
    agent_->set_resources(std::move(known), groups_, now_);
  }

  void act() {
    switch (roll(10)) {
      case 0:
        return command();
      case 1:
        return mishap();
      case 2:
        return roll(8) == 0 ? give_resources() : tick();
      case 3:
        return fail_monitor();
      case 4:
        if (roll(6) == 0) begin_agent();
        return;
      case 5:
      case 6:
        return tick();
      default:
        break;
    }
    if (running_.empty()) return tick();
    auto one = running_.begin();
    std::advance(one, roll(static_cast<int>(running_.size())));
    end(std::string(one->first));
  }

  void tick() {
    const auto due = agent_->due();
    if (!due) return;
    now_ = std::max(now_, *due);
    agent_->tick(now_);
    const auto next = agent_->due();
    EXPECT_TRUE(!next || *next > now_) << "it would turn without end\n" << said();
  }

  void command() {
    static constexpr Request kRequests[]{
        Request::online,  Request::online,  Request::offline, Request::enable, Request::clear,
        Request::disable, Request::suspend, Request::resume,  Request::clear,  Request::enable};
    const Request request = kRequests[roll(10)];
    const std::string tag = nth(roll(kResources));
    say("-- " + tag + ": request " + std::to_string(static_cast<int>(request)));
    if (request == Request::clear) faulted_.erase(tag);
    if (roll(8) == 0) {
      if (request == Request::clear) faulted_.clear();
      agent_->request_group(request, roll(2) == 0 ? "odd" : "even", now_);
    } else {
      agent_->request(request, common::Tag(tag), now_);
    }
  }

  void mishap() {
    App& app = apps_.at(nth(roll(kResources)));
    if (roll(3) == 0) {
      app.hangs = !app.hangs;
    } else {
      app.up = false;
    }
  }

  void fail_monitor() {
    if (watched_.empty()) return;
    auto one = watched_.begin();
    std::advance(one, roll(static_cast<int>(watched_.size())));
    const std::string tag = *one;
    agent_->monitor_saw(tag, "m", {roll(3) == 0, "by dice"}, now_);
  }

  void end(const std::string& tag) {
    const TaskRun task = running_.at(tag);
    running_.erase(tag);
    App& app = apps_.at(tag);
    Ended how = outcome(task, app);
    if (finished_.erase(tag) ||
        (unknown_end_.erase(tag) && task.task != Task::monitor && how != Ended::timed_out)) {
      how = Ended::done;
    }
    say(tag + ": " + std::string(name_of(task.task)) + " ends: " + std::string(name_of(how)) +
        (app.up ? ", up" : ", down"));
    agent_->ended(tag, task.task, how, "by dice", now_);
  }

  Ended outcome(const TaskRun& task, App& app) {
    switch (task.task) {
      case Task::open:
        return Ended::done;
      case Task::monitor:
        if (app.hangs) return Ended::timed_out;
        if (chance(4)) return Ended::unknown;
        app.dirty = false;
        return app.up ? Ended::done : Ended::failed;
      case Task::start:
        if (chance(15)) return gone_wrong(app);
        app.in_service = true;
        app.up = !chance(8);
        return Ended::done;
      case Task::clean:
        if (task.by_recover) return not_touched(app);
        [[fallthrough]];
      case Task::stop:
        if (chance(15)) return gone_wrong(app);
        app.in_service = false;
        if (chance(5)) return not_touched(app);  // whatever it says
        app.up = false;
        return Ended::done;
    }
    return Ended::done;
  }

  static Ended not_touched(App& app) {
    app.dirty = true;
    return Ended::done;
  }
  Ended gone_wrong(App& app) {
    app.dirty = true;
    return roll(2) == 0 ? Ended::failed : Ended::timed_out;
  }

  // ---- what must hold

  void check_start(const ResourceConfig& resource) {
    const std::string& tag = resource.tag.text();
    EXPECT_TRUE(!kept_.count(tag) || !kept_.at(tag).faulted) << tag << " is faulted\n" << said();
    const App& app = apps_.at(tag);
    EXPECT_TRUE(!app.up || app.dirty || app.hangs) << tag << " runs already\n" << said();
    if (before_[tag] != State::offline) return;  // not by a command
    for (const std::string& other : resource.depends_on) {
      EXPECT_EQ(seen(other), State::online) << tag << " depends on " << other << "\n" << said();
    }
  }

  void check() {
    for (const auto& view : agent_->view().resources) {
      const std::string& tag = view.tag;
      if (view.state == State::detached) {
        EXPECT_FALSE(view.running) << tag << ": Detached never acts\n" << said();
      }
      const bool looked_at = view.state == State::online && !view.suspended;
      EXPECT_TRUE(looked_at || !watched_.count(tag)) << tag << "\n" << said();
      EXPECT_EQ(view.running.has_value(), running_.count(tag) == 1) << tag << "\n" << said();
      EXPECT_TRUE(!faulted_.count(tag) || view.faulted) << tag << ": a fault is lost\n" << said();
      if (view.faulted) faulted_.insert(tag);
      before_[tag] = view.state;
    }
  }

  bool at_rest() const {
    for (const auto& view : agent_->view().resources) {
      if (view.goal || view.waiting) return false;
      if (is_unstable(view.state)) return false;
      if (view.running && *view.running != Task::monitor) return false;
    }
    return true;
  }

  std::mt19937 dice_;
  bool calm_ = false;
  bool mortal_ = false;
  Clock::time_point now_{1h};
  std::map<std::string, ResourceConfig> configs_{};
  std::map<std::string, GroupConfig> groups_{};
  std::map<std::string, App> apps_{};
  std::map<std::string, TaskRun> running_{};
  std::map<std::string, TaskRun> orphans_{};
  std::set<std::string> unknown_end_{};  // adopted: the exit code can't be had
  std::set<std::string> finished_{};     // adopted, and over already
  std::set<std::string> watched_{};
  std::map<std::string, Record> kept_{};
  std::set<std::string> faulted_{};
  std::map<std::string, State> before_{};
  std::vector<std::string> log_{};
  std::unique_ptr<Supervisor> agent_{};
};

class Simulation : public testing::TestWithParam<unsigned> {};

TEST_P(Simulation, WhatMustHoldHoldsAndACalmWorldComesToRest) {
  for (unsigned run = 0; run < 12; ++run) {
    SCOPED_TRACE("seed " + std::to_string(GetParam() * 1000 + run));
    World world(GetParam() * 1000 + run);
    for (int i = 0; i < kSteps && !world.failed(); ++i) world.step();
    if (!world.failed()) world.calm_down();
    if (world.failed()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, testing::Range(0u, 30u));

}  // namespace
}  // namespace genapp::agent
