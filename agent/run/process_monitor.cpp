#include "agent/run/process_monitor.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "agent/run/process_table.hpp"
#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/process.hpp"

namespace genapp::agent {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Clock;
using Descriptor = asio::posix::stream_descriptor;

// A turn of a scan: between two of them the loop does the rest of its work.
constexpr auto kTurn = std::chrono::milliseconds(5);
// Between the counts while something is wrong, and before one too many is believed: a process that
// is about to become another program is for a moment a second one of its parent's name.
constexpr Clock::duration kSoon = std::chrono::seconds(1);
constexpr char kInstead[] = ": it is looked at each second instead";
constexpr std::size_t kMostNamed = 8;  // pids in a text

struct Process {
  ProcessFacts facts{};
  std::optional<Descriptor> end{};  // its pidfd; nothing: none was to be had, it is looked at again
  bool doubted = false;             // to be looked at anew though it is held
  std::uint64_t number = 0;         // of this hold: a pid may be held twice in turn
};

std::string described(const std::string& name, const ProcessRule& rule) {
  return "process " + common::quoted(name) +
         (rule.owner ? " of user " + std::to_string(*rule.owner) : "");
}

}  // namespace

class ProcessMonitors::Impl : public std::enable_shared_from_this<ProcessMonitors::Impl> {
 public:
  Impl(asio::io_context& io, std::function<void(const std::string&)> complain)
      : io_(io), complain_(std::move(complain)), timer_(io) {}

  Number watch(const ProcessRule& rule, Saw saw) {
    const Number number = ++last_;
    monitors_.emplace(number, Monitor{rule, std::move(saw)});
    for (const std::string& name : rule.names) {
      Group& group = groups_[std::string(command_key(name))];
      group.monitors.insert(number);
      if (rule.owner) group.owner_matters = true;
    }
    ask(number);
    return number;
  }

  void unwatch(Number number) {
    const auto at = monitors_.find(number);
    if (at == monitors_.end()) return;
    due_.erase({at->second.due, number});
    asked_.erase(number);
    for (const std::string& name : at->second.rule.names) leave_group(name, number);
    monitors_.erase(at);
  }

  void stop() {
    timer_.cancel();
    processes_.clear();
    monitors_.clear();
  }

 private:
  struct Monitor {
    ProcessRule rule;
    Saw saw;
    std::optional<bool> healthy{};  // as told
    bool extra = false;             // one too many at the last count
    std::string death{};            // since the last count
    Clock::time_point due = Clock::time_point::max();
  };
  // Those whose name begins with the same 15 bytes.
  struct Group {
    std::set<Number> monitors{};
    std::set<pid_t> pids{};
    bool owner_matters = false;
    // How many there are of a name and owner; what many monitors ask is counted once.
    std::map<std::pair<std::string, std::optional<uid_t>>, std::size_t> counts{};
  };
  struct Scan {
    std::vector<pid_t> pids;
    std::size_t next = 0;
    bool full;               // those that are held too: they may be other programs by now
    std::set<Number> asked;  // to be judged at its end
  };

  void ask(Number number) {
    asked_.insert(number);
    if (!scan_ && !posted_) post();
  }

  void post() {
    posted_ = true;
    asio::post(io_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->turn();
    });
  }

  void turn() {
    posted_ = false;
    if (!scan_ && !begin_scan()) return;
    const auto until = Clock::now() + kTurn;
    while (scan_->next < scan_->pids.size()) {
      look(scan_->pids[scan_->next++], scan_->full);
      if (Clock::now() > until) return post();
    }
    const auto asked = std::move(scan_->asked);
    scan_.reset();
    for (const Number number : asked) {
      // One of its processes has died since this scan began: its successor may not be in it.
      if (!asked_.contains(number)) judge(number);
    }
    if (unheld_ == 0) complained_ = false;
    arm();
    if (!asked_.empty() && !posted_) post();
  }

  bool begin_scan() {
    if (asked_.empty()) return false;
    try {
      scan_.emplace(Scan{full_ ? list_.all() : list_.others(known()), 0, full_, {}});
    } catch (const common::Error& problem) {
      return put_off(problem.what());
    }
    scan_->asked.swap(asked_);
    full_ = false;
    drop_unheld();
    return true;
  }

  // Which are what they were, as far as anybody knows; sorted.
  std::vector<pid_t> known() const {
    std::vector<pid_t> pids;
    pids.reserve(processes_.size());
    for (const auto& [pid, process] : processes_) {
      if (process.end && !process.doubted) pids.push_back(pid);
    }
    return pids;
  }

  // Nothing can be counted now.
  bool put_off(const std::string& problem) {
    complain_once(problem);
    for (const Number number : asked_) {
      const auto at = monitors_.find(number);
      if (at != monitors_.end()) set_due(number, at->second, soon());
    }
    asked_.clear();
    arm();
    return false;
  }

  void look(pid_t pid, bool full) {
    const auto held = processes_.find(pid);
    if (held != processes_.end() && !full && !held->second.doubted) return;
    const std::string name = command_name_of(pid);
    const auto group = groups_.find(name);
    if (held != processes_.end()) {
      if (name == held->second.facts.command)
        return look_at_owner(pid, held->second, group->second);
      drop(held);
    }
    if (group != groups_.end()) hold(pid);
  }

  void look_at_owner(pid_t pid, Process& process, Group& group) {
    process.doubted = false;
    if (!group.owner_matters) return;
    const auto facts = facts_of(pid);
    if (!facts || facts->owner == process.facts.owner) return;
    process.facts.owner = facts->owner;
    group.counts.clear();
  }

  // They have no event of their end.
  void drop_unheld() {
    for (auto at = processes_.begin(); unheld_ > 0 && at != processes_.end();) {
      const auto here = at++;
      if (!here->second.end) drop(here);
    }
  }

  void hold(pid_t pid) {
    Process process;
    std::optional<common::Fd> pidfd;
    try {
      pidfd = common::open_pidfd(pid);
      if (!pidfd) return;
    } catch (const common::Error& problem) {
      complain_once(problem.what() + std::string(kInstead));
    }
    const auto facts = facts_of(pid);
    // What was read is of the process that is held only if that lives still.
    if (!facts || (pidfd && common::wait_for_end(*pidfd, Clock::duration::zero()))) return;
    const auto group = groups_.find(facts->command);
    if (group == groups_.end()) return;
    process.facts = *facts;
    if (pidfd && expect_end(process, *pidfd)) {
      process.number = ++holds_;
    } else {
      ++unheld_;
    }
    group->second.pids.insert(pid);
    group->second.counts.clear();
    auto& kept = processes_.insert_or_assign(pid, std::move(process)).first->second;
    if (kept.end) wait_for_end(pid, kept);
  }

  // False where epoll has no room for it.
  bool expect_end(Process& process, common::Fd& pidfd) {
    error_code no_room;
    process.end.emplace(io_).assign(pidfd.get(), no_room);
    if (!no_room) {
      pidfd.release();
      return true;
    }
    process.end.reset();
    complain_once("watching a process (epoll): " + no_room.message() + kInstead);
    return false;
  }

  void wait_for_end(pid_t pid, Process& process) {
    process.end->async_wait(
        Descriptor::wait_read,
        [weak = weak_from_this(), pid, hold = process.number](const error_code& error) {
          const auto self = weak.lock();
          if (!error && self) self->ended(pid, hold);
        });
  }

  void ended(pid_t pid, std::uint64_t hold) {
    const auto at = processes_.find(pid);
    if (at == processes_.end() || at->second.number != hold) return;
    const ProcessFacts facts = at->second.facts;
    drop(at);
    const auto group = groups_.find(facts.command);
    if (group == groups_.end()) return;
    for (const Number number : group->second.monitors) note_death(number, pid, facts);
  }

  void note_death(Number number, pid_t pid, const ProcessFacts& facts) {
    Monitor& monitor = monitors_.at(number);
    const ProcessRule& rule = monitor.rule;
    if (rule.owner && *rule.owner != facts.owner) return;
    for (const std::string& name : rule.names) {
      if (!has_name(facts, name)) continue;
      monitor.death = described(name, rule) + " (pid " + std::to_string(pid) + ") has ended";
      return ask(number);
    }
  }

  void drop(std::map<pid_t, Process>::iterator at) {
    if (!at->second.end) --unheld_;
    const auto group = groups_.find(at->second.facts.command);
    if (group != groups_.end()) {
      group->second.pids.erase(at->first);
      group->second.counts.clear();
    }
    processes_.erase(at);
  }

  void judge(Number number) {
    const auto at = monitors_.find(number);
    if (at == monitors_.end()) return;
    Monitor& monitor = at->second;
    const std::string death = std::exchange(monitor.death, "");
    bool extra = false;
    const std::string problem = problem_of(monitor.rule, extra);
    const bool sure = !extra || monitor.extra;
    monitor.extra = extra;
    const bool healthy = problem.empty();
    const bool look_soon = !healthy || unheld_ > 0;
    set_due(number, monitor, look_soon ? soon() : recount(monitor.rule));
    if (!sure) return;
    const bool changed = monitor.healthy != healthy;
    if (!changed && (healthy || death.empty())) return;
    monitor.healthy = healthy;
    const std::string why = death.empty() || healthy ? problem : death + "; " + problem;
    const Saw saw = monitor.saw;  // which may end the monitor
    saw({healthy, why});
  }

  // Empty: none. `extra`: the only one is that there are too many.
  std::string problem_of(const ProcessRule& rule, bool& extra) {
    std::string too_many;
    for (const std::string& name : rule.names) {
      const std::size_t count = count_of(name, rule.owner);
      if (count == rule.instances) continue;
      const std::string text = described(name, rule) + ": " + std::to_string(count) +
                               (count < rule.instances ? " of " : " run instead of ") +
                               std::to_string(rule.instances) +
                               (count < rule.instances ? " run" : "");
      if (count < rule.instances) return text;
      if (too_many.empty()) too_many = text + " (" + pids_text(name, rule.owner) + ")";
    }
    extra = !too_many.empty();
    return too_many;
  }

  bool counts_for(pid_t pid, const std::string& name, std::optional<uid_t> owner) const {
    const ProcessFacts& facts = processes_.at(pid).facts;
    return has_name(facts, name) && (!owner || *owner == facts.owner);
  }

  std::size_t count_of(const std::string& name, std::optional<uid_t> owner) {
    Group& group = groups_[std::string(command_key(name))];
    const auto [at, is_new] = group.counts.try_emplace({name, owner}, 0);
    if (is_new) {
      at->second = static_cast<std::size_t>(
          std::count_if(group.pids.begin(), group.pids.end(),
                        [&](pid_t pid) { return counts_for(pid, name, owner); }));
    }
    return at->second;
  }

  std::string pids_text(const std::string& name, std::optional<uid_t> owner) {
    std::string text;
    std::size_t named = 0;
    for (const pid_t pid : groups_[std::string(command_key(name))].pids) {
      if (!counts_for(pid, name, owner)) continue;
      if (++named > kMostNamed) return text + ", …";
      text += (text.empty() ? "pids " : ", ") + std::to_string(pid);
    }
    return text;
  }

  // On grids, so that monitors of one interval are counted for together.
  static Clock::time_point recount(const ProcessRule& rule) {
    if (rule.recount_interval <= Clock::duration::zero()) return Clock::time_point::max();
    return next_on_grid(Clock::now(), rule.recount_interval);
  }
  // Half of the time at least, half as much again at most.
  static Clock::time_point soon() { return next_on_grid(Clock::now() + kSoon / 2, kSoon); }
  static Clock::time_point next_on_grid(Clock::time_point after, Clock::duration step) {
    return Clock::time_point((after.time_since_epoch() / step + 1) * step);
  }

  void set_due(Number number, Monitor& monitor, Clock::time_point due) {
    due_.erase({monitor.due, number});
    monitor.due = due;
    if (due != Clock::time_point::max()) due_.insert({due, number});
  }

  void arm() {
    if (due_.empty()) {
      timer_.cancel();
      return;
    }
    if (timer_.expiry() == due_.begin()->first && armed_) return;
    armed_ = true;
    timer_.expires_at(due_.begin()->first);
    timer_.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (!error && self) self->count_again();
    });
  }

  void count_again() {
    armed_ = false;
    const auto now = Clock::now();
    while (!due_.empty() && due_.begin()->first <= now) {
      const Number number = due_.begin()->second;
      Monitor& monitor = monitors_.at(number);
      set_due(number, monitor, Clock::time_point::max());
      // Whether those that are held are still what they were.
      if (monitor.healthy.value_or(false) && !monitor.extra) {
        full_ = true;
      } else {
        doubt(monitor.rule);
      }
      ask(number);
    }
    arm();
  }

  void doubt(const ProcessRule& rule) {
    for (const std::string& name : rule.names) {
      for (const pid_t pid : groups_[std::string(command_key(name))].pids) {
        processes_.at(pid).doubted = true;
      }
    }
  }

  void leave_group(const std::string& name, Number number) {
    const auto group = groups_.find(std::string(command_key(name)));
    if (group == groups_.end()) return;
    group->second.monitors.erase(number);
    if (!group->second.monitors.empty()) return;
    for (const pid_t pid : group->second.pids) {
      const auto at = processes_.find(pid);
      if (!at->second.end) --unheld_;
      processes_.erase(at);
    }
    groups_.erase(group);
  }

  void complain_once(const std::string& text) {
    if (!std::exchange(complained_, true)) complain_(text);
  }

  asio::io_context& io_;
  std::function<void(const std::string&)> complain_;
  asio::steady_timer timer_;
  ProcessList list_{};
  std::unordered_map<Number, Monitor> monitors_{};
  std::unordered_map<std::string, Group> groups_{};  // by command_key()
  std::map<pid_t, Process> processes_{};             // of the groups' names
  std::set<std::pair<Clock::time_point, Number>> due_{};
  std::set<Number> asked_{};  // to be judged after the next scan
  std::optional<Scan> scan_{};
  Number last_ = 0;
  std::uint64_t holds_ = 0;
  std::size_t unheld_ = 0;  // processes without a pidfd
  bool full_ = false;
  bool posted_ = false;
  bool armed_ = false;
  bool complained_ = false;
};

ProcessMonitors::ProcessMonitors(asio::io_context& io,
                                 std::function<void(const std::string&)> complain)
    : impl_(std::make_shared<Impl>(io, std::move(complain))) {}

ProcessMonitors::~ProcessMonitors() { impl_->stop(); }

ProcessMonitors::Number ProcessMonitors::watch(const ProcessRule& rule, Saw saw) {
  return impl_->watch(rule, std::move(saw));
}

void ProcessMonitors::unwatch(Number monitor) { impl_->unwatch(monitor); }

}  // namespace genapp::agent
