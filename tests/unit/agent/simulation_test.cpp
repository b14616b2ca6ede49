// A made-up world at random: resources with dependencies, groups and monitors whose applications
// start, fail, hang, die and come up by dice; actions that lie; commands and new settings at any
// time; and an agent that is killed between any two of its deeds. What must hold, holds after every
// step; and once the world is calm, everything comes to rest.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
constexpr int kSteps = 1000;
constexpr unsigned kWorlds = 5;  // a test
constexpr int kCalmSteps = 3000;

// SIGKILL of the agent.
struct Killed {};

std::string nth(int n) { return "r" + std::to_string(n); }

class World : public Effects {
 public:
  explicit World(unsigned seed) : dice_(seed) {
    for (int n = 0; n < kResources; ++n) {
      apps_[nth(n)].up = false;
      configs_.emplace(nth(n), make_resource(n));
    }
    groups_["odd"] = {roll(3) == 0, {"/bin/move"}};
    groups_["even"] = {false, {"/bin/move"}};
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
        end(running_.begin()->first);
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
    const ResourceView view = agent_->view(tag).value();
    say(tag + ": " + std::string(name_of(task.task)) + " begins");
    EXPECT_FALSE(running_.count(tag)) << tag << ": two tasks at once\n" << said();
    if (task.task == Task::start) check_start(resource, view);
    if (task.task == Task::stop) check_stop(tag);
    if (task.task == Task::clean) check_clean(tag, view);
    const bool rests = view.state == State::online || view.state == State::offline;
    EXPECT_FALSE(task.task == Task::monitor && view.suspended && rests) << tag << " is suspended\n"
                                                                        << said();
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
      // A clean is made again: its end is known.
      if (task.task != Task::clean) unknown_end_.insert(tag);
      orphans_.erase(orphan);
      return;
    }
    running_[tag] = task;
    if (task.task == Task::start && apps_.at(tag).in_service) finished_.insert(tag);
  }
  void watch(const ResourceConfig& resource, const MonitorConfig& monitor) override {
    EXPECT_TRUE(watched_.insert({resource.tag.text(), monitor.name}).second) << said();
  }
  void unwatch(const ResourceConfig& resource, const std::string& monitor) override {
    EXPECT_EQ(watched_.erase({resource.tag.text(), monitor}), 1u) << said();
  }
  void run_method(const ResourceConfig& resource, const Method& method) override {
    if (method.argv.front() != "/bin/move") return;
    may_die();
    const std::string tag_of = resource.tag.text();
    say(tag_of + ": given over, " + method.what);
    forgive(tag_of);
    const int times = ++moves_[{tag_of, method.what}];
    EXPECT_LE(times, faults_[tag_of] + kills_) << tag_of << ": twice\n" << said();
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
    if (record.new_fault || record.giving_up) owed_kept_.insert(resource.tag.text());
    may_die();
  }
  void forget(const ResourceConfig& resource) override {
    const std::string& tag = resource.tag.text();
    kept_.erase(tag);
    running_.erase(tag);
    unknown_end_.erase(tag);
    finished_.erase(tag);
    faulted_.erase(tag);
    forgive(tag);
    may_start_.erase(tag);
  }
  void tell(const Notice& notice) override {
    say(notice.tag + ": " + notice.text);
    const auto has = [&](const char* text) { return notice.text.find(text) != std::string::npos; };
    if (notice.kind == NoticeKind::fault && has("faulted: ")) {
      ++faults_[notice.tag];
      const ResourceConfig& config = configs_.at(notice.tag);
      const bool whole_group = config.critical && !config.group.empty();
      const bool falls_over = whole_group || !config.on_fallover.empty();
      if (falls_over && owed_.insert(notice.tag).second) owed_kept_.erase(notice.tag);
    }
    if (has("no on_fallover is run")) forgive(notice.tag);
    if (has("it is not started") || has("it is not stopped")) gave_up_.insert(notice.tag);
  }

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
    if (chance(1)) {
      say("-- the agent is killed");
      throw Killed();
    }
  }

  ResourceConfig make_resource(int n) {
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
    if (roll(3) != 0) config.on_fallover = {"/bin/move"};
    for (int other = 0; other < n; ++other) {
      if (roll(4) == 0) config.depends_on.push_back(nth(other));
    }
    for (int m = roll(3); m > 0; --m) {
      MonitorConfig monitor;
      monitor.name = "m" + std::to_string(m);
      monitor.restart_count = static_cast<std::size_t>(roll(3));
      monitor.restart_interval = 66s;
      monitor.failure_action = roll(2) == 0 ? FailureAction::notify : FailureAction::fallover;
      if (roll(2) == 0) monitor.restart = {"/bin/restart"};
      config.monitors.push_back(monitor);
    }
    return config;
  }

  // The files are changed and read anew: one resource is another, or none, or there again.
  void change_settings() {
    const int n = roll(kResources);
    const std::string tag = nth(n);
    if (roll(4) == 0) groups_["odd"].standby = !groups_["odd"].standby;
    const bool needed = std::ranges::any_of(configs_, [&](const auto& one) {
      return std::ranges::count(one.second.depends_on, tag) > 0;
    });
    if (!needed && configs_.count(tag) && roll(4) == 0) {
      say("-- " + tag + " is deleted");
      configs_.erase(tag);
    } else {
      say("-- " + tag + " has other settings");
      ResourceConfig config = make_resource(n);
      std::erase_if(config.depends_on,
                    [&](const std::string& other) { return !configs_.count(other); });
      const bool falls_over =
          !config.on_fallover.empty() || (config.critical && !config.group.empty());
      if (!falls_over) forgive(tag);
      configs_.insert_or_assign(tag, std::move(config));
    }
    give_resources();
  }

  // What the agent before has begun goes on; its monitors end with it.
  void begin_agent() {
    leave_tasks();
    for (bool begun = false; !begun;) {
      try {
        say("-- an agent begins");
        ++kills_;
        gave_up_.clear();
        // What was told and not kept, the next agent finds out by itself.
        std::erase_if(owed_, [this](const std::string& tag) { return !owed_kept_.count(tag); });
        const auto left = kept_;
        agent_ = std::make_unique<Supervisor>(*this);
        give_resources();
        begun = true;
        for (const auto& [tag, record] : left) check_goal_is_not_lost(tag, record);
      } catch (const Killed&) {
        leave_tasks();
      }
    }
  }

  void leave_tasks() {
    for (auto& [tag, task] : running_) {
      if (task.task == Task::monitor || task.task == Task::open) continue;
      // An adopted one whose end nobody will tell again.
      if (finished_.count(tag)) continue;
      orphans_[tag] = task;
    }
    failing_.clear();
    running_.clear();
    watched_.clear();
    unknown_end_.clear();
    finished_.clear();
    failing_.clear();
  }

  void give_resources() {
    std::vector<Supervisor::Known> known;
    for (const auto& [tag, config] : configs_) {
      const auto record = kept_.find(tag);
      known.push_back(
          {config, record == kept_.end() ? std::nullopt : std::optional(record->second)});
    }
    want_by_itself();
    agent_->set_resources(std::move(known), groups_, now_);
  }

  // Those that are to be started by themselves once they are found offline.
  void want_by_itself() {
    for (const auto& [tag, config] : configs_) {
      if (config.auto_start && !kept_.count(tag)) want(tag);
    }
  }

  // Somebody has asked for it to be online, so it may be started, and what it depends on.
  void want(const std::string& tag) {
    may_start_.insert(tag);
    for (const std::string& other : configs_.at(tag).depends_on) want(other);
  }

  void act() {
    switch (roll(10)) {
      case 0:
        return command();
      case 1:
        return mishap();
      case 2:
        return roll(8) == 0 ? change_settings() : tick();
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
    end(one->first);
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
    if (!configs_.count(tag)) return;
    say("-- " + tag + ": request " + std::to_string(static_cast<int>(request)));
    if (roll(8) == 0) return command_group(request, roll(2) == 0 ? "odd" : "even");
    note_request(request, tag);
    agent_->request(request, common::Tag(tag), now_);
  }

  void command_group(Request request, const std::string& group) {
    for (const auto& [tag, config] : configs_) {
      if (config.group == group) note_request(request, tag);
    }
    agent_->request_group(request, group, now_);
  }

  // It is not to be given over any more.
  void forgive(const std::string& tag) {
    owed_.erase(tag);
    owed_kept_.erase(tag);
  }

  void note_request(Request request, const std::string& tag) {
    if (request == Request::online) want(tag);
    if (request != Request::clear) return;
    faulted_.erase(tag);
    forgive(tag);
  }

  void mishap() {
    App& app = apps_.at(nth(roll(kResources)));
    switch (roll(6)) {
      case 0:
      case 1:
        app.hangs = !app.hangs;
        break;
      case 2:  // somebody has started it by hand
        app.up = app.in_service = app.dirty = true;
        break;
      default:
        app.up = false;
    }
  }

  void fail_monitor() {
    if (watched_.empty()) return;
    auto one = watched_.begin();
    std::advance(one, roll(static_cast<int>(watched_.size())));
    const auto [tag, monitor] = *one;
    failing_ = tag;
    agent_->monitor_saw(tag, monitor, {roll(3) == 0, "by dice"}, now_);
    failing_.clear();
  }

  // By value: it may be a key of what is erased here.
  void end(std::string tag) {
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
    if (task.task == Task::monitor && how == Ended::failed) failing_ = tag;
    agent_->ended(tag, task.task, how, "by dice", now_);
    failing_.clear();
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

  void check_start(const ResourceConfig& resource, const ResourceView& view) {
    const std::string& tag = resource.tag.text();
    EXPECT_FALSE(view.faulted) << tag << " is faulted\n" << said();
    const App& app = apps_.at(tag);
    EXPECT_TRUE(!app.up || app.dirty || app.hangs) << tag << " runs already\n" << said();
    if (before_[tag] != State::offline) return;  // not by a command
    EXPECT_EQ(view.goal, Goal::online) << tag << "\n" << said();
    EXPECT_TRUE(may_start_.count(tag)) << tag << ": nobody wants it\n" << said();
    for (const std::string& other : resource.depends_on) {
      EXPECT_EQ(seen(other), State::online) << tag << " depends on " << other << "\n" << said();
    }
  }

  void check_stop(const std::string& tag) const {
    if (failing_ == tag) return;  // what fails on its way down waits for nobody
    for (const auto& [other, config] : configs_) {
      if (std::ranges::count(config.depends_on, tag) == 0) continue;
      const State state = seen(other);
      EXPECT_TRUE(state == State::offline || state == State::detached)
          << other << ", which depends on " << tag << ", is " << name_of(state) << "\n"
          << said();
    }
  }

  // The clean before a restart.
  void check_clean(const std::string& tag, const ResourceView& view) {
    if (view.state != State::going_online || before_[tag] != State::online) return;
    EXPECT_FALSE(view.faulted) << tag << "\n" << said();
    EXPECT_NE(view.goal, Goal::offline) << tag << " is on its way down\n" << said();
    EXPECT_NE(view.waiting, Command::disable) << tag << "\n" << said();
  }

  void check_goal_is_not_lost(const std::string& tag, const Record& record) const {
    const auto view = agent_->view(tag);
    if (!view || !record.goal || view->goal || gave_up_.count(tag)) return;
    if (view->faulted) return;
    const bool there =
        *record.goal == Goal::online ? view->state == State::online : view->state == State::offline;
    EXPECT_TRUE(there) << tag << ": its goal is lost\n" << said();
  }

  void check() {
    for (const auto& view : agent_->view().resources) {
      const std::string& tag = view.tag;
      if (view.state == State::detached) {
        EXPECT_FALSE(view.running) << tag << ": Detached never acts\n" << said();
      }
      const bool looked_at = view.state == State::online && !view.suspended;
      const auto watched = watched_.lower_bound({tag, ""});
      const bool is_watched = watched != watched_.end() && watched->first == tag;
      EXPECT_TRUE(looked_at || !is_watched) << tag << "\n" << said();
      EXPECT_EQ(view.running.has_value(), running_.count(tag) == 1) << tag << "\n" << said();
      EXPECT_TRUE(!faulted_.count(tag) || view.faulted) << tag << ": a fault is lost\n" << said();
      if (view.faulted) faulted_.insert(tag);
      before_[tag] = view.state;
      check_kept(view);
    }
    want_by_itself();
  }

  // That the next agent knows it all.
  void check_kept(const ResourceView& view) {
    const std::string& tag = view.tag;
    const auto kept = kept_.find(tag);
    if (kept == kept_.end()) {
      EXPECT_TRUE(configs_.at(tag).auto_start && !view.goal) << tag << " is not kept\n" << said();
      return;
    }
    if (!view.goal) may_start_.erase(tag);
    const Record& record = kept->second;
    EXPECT_EQ(record.goal, view.goal) << tag << "\n" << said();
    EXPECT_EQ(record.faulted, view.faulted) << tag << "\n" << said();
    EXPECT_EQ(record.suspended, view.suspended) << tag << "\n" << said();
    EXPECT_EQ(record.standby, !view.wanted) << tag << "\n" << said();
    EXPECT_FALSE(record.new_fault) << tag << "\n" << said();
    EXPECT_TRUE(record.giving_up || !owed_.count(tag)) << tag << ": not given over\n" << said();
    const bool acts = view.running && *view.running != Task::monitor && *view.running != Task::open;
    EXPECT_EQ(record.task, acts ? view.running : std::nullopt) << tag << "\n" << said();
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
  Clock::time_point now_{1h};
  std::map<std::string, ResourceConfig> configs_{};
  std::map<std::string, GroupConfig> groups_{};
  std::map<std::string, App> apps_{};
  std::map<std::string, TaskRun> running_{};
  std::map<std::string, TaskRun> orphans_{};
  std::set<std::string> unknown_end_{};  // adopted: the exit code can't be had
  std::set<std::string> finished_{};     // adopted, and over already
  std::set<std::pair<std::string, std::string>> watched_{};
  std::string failing_{};                // of which it is told that it fails
  std::set<std::string> may_start_{};    // somebody wants it online
  std::set<std::string> gave_up_{};      // of their goals
  std::set<std::string> owed_{};         // faulted, and not given over yet
  std::set<std::string> owed_kept_{};    // of these
  std::map<std::string, int> faults_{};  // since the beginning
  std::map<std::pair<std::string, std::string>, int> moves_{};
  int kills_ = 0;
  std::map<std::string, Record> kept_{};
  std::set<std::string> faulted_{};
  std::map<std::string, State> before_{};
  std::vector<std::string> log_{};
  std::unique_ptr<Supervisor> agent_{};
};

class Simulation : public testing::TestWithParam<unsigned> {};

TEST_P(Simulation, WhatMustHoldHoldsAndACalmWorldComesToRest) {
  for (unsigned run = 0; run < kWorlds; ++run) {
    const unsigned seed = GetParam() * 1000 + run;
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < kSteps && !world.failed(); ++i) world.step();
    if (!world.failed()) world.calm_down();
    if (world.failed()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulation, testing::Range(0u, 30u));

}  // namespace
}  // namespace genapp::agent
