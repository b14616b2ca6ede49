#include "agent/managed.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "common/clock.hpp"

namespace genapp::agent {
namespace {

using E = Event;

// Above 0, at most 1, and the same for a tag at all times.
double phase_of(const std::string& tag) {
  constexpr std::size_t kParts = 1009;
  return static_cast<double>(std::hash<std::string>{}(tag) % kParts + 1) / kParts;
}

std::string with_reason(std::string text, const std::string& reason) {
  return reason.empty() ? text : text + ": " + reason;
}

bool is_restart(E event) {
  return event == E::offline_restart || event == E::hung_restart || event == E::watch_restart ||
         event == E::start_failed_retry || event == E::wait_over_retry;
}

bool notes_fault(const Row& row) {
  return row.action == Action::note_fault || row.action == Action::clean_and_note_fault;
}

// Anything else is no record of ours.
bool fits(State state, Task task) {
  return task == Task::clean
             ? state == State::going_online || state == State::going_offline
             : state == (task == Task::start ? State::going_online : State::going_offline);
}

// Those that a later agent goes on in, after a look.
bool is_seen(State state) {
  return state == State::online || state == State::going_online_wait ||
         state == State::going_offline_wait;
}

// Where a quickCheck that fails says that it is not as it is to be.
bool is_to_be_healthy(State state) {
  return state == State::online || state == State::going_online_wait;
}

bool outlives_agent(Task task) { return task != Task::open && task != Task::monitor; }

}  // namespace

Managed::Managed(ResourceConfig config, Effects& effects)
    : config_(std::move(config)),
      effects_(effects),
      machine_(config_.attributes, phase_of(config_.tag.text())) {
  make_watches();
}

void Managed::make_watches() {
  std::vector<Watch> watches;
  for (const MonitorConfig& monitor : config_.monitors) {
    if (!monitor.long_running()) continue;
    const auto same = std::ranges::find_if(
        watches_, [&](const Watch& watch) { return watch.config.name == monitor.name; });
    Watch watch{monitor};
    if (same != watches_.end()) {
      watch.policy = same->policy;
      watch.begins = same->begins;
      watch.active = same->active;
    }
    watches.push_back(std::move(watch));
  }
  watches_ = std::move(watches);
}

void Managed::begin(const std::optional<Record>& record, Clock::time_point now) {
  since_ = now;
  enabled_ = record ? record->enabled : config_.enabled;
  history_.enter(now, state(), false);
  if (record) {
    kept_ = record;
    goal = record->goal;
    giving_up = record->giving_up;
    new_fault_ = record->new_fault;
    not_taken_out_ = record->not_taken_out;
    suspended_ = record->suspended;
    fault_ = record->fault;
    machine_.remember(record->faulted, record->restarts, record->tolerated);
    remember_monitors(*record, now);
  }
  if (record && record->task && fits(record->state, *record->task)) {
    adopt(*record, now);
    // The one that was to follow when that has ended.
    if (!enabled_) command(Command::disable, now);
    return;
  }
  if (!enabled_) return;
  if (record && is_seen(record->state)) {
    look_again(*record, now);
  } else {
    command(Command::enable, now);
  }
}

void Managed::adopt(const Record& record, Clock::time_point now) {
  const State before = state();
  const Step step = machine_.adopt(record.state, *record.task, now);
  if (record.by_recover || !record.monitor.empty()) restart_ = restart_of(record);
  tell(NoticeKind::adopted, Severity::info,
       "an earlier agent has begun to " + std::string(name_of(*record.task)) +
           " it, which is waited for");
  entered(before, now);
  effects_.adopt(config_, task_run(*step.run));
}

Managed::Restart Managed::restart_of(const Record& record) const {
  const auto monitor = std::ranges::find_if(
      config_.monitors, [&](const auto& one) { return one.name == record.monitor; });
  Restart restart =
      monitor == config_.monitors.end() ? Restart{} : restart_after(*monitor, config_.restart_by);
  restart.by_recover = record.by_recover;
  return restart;
}

Managed::Restart Managed::restart_after(const MonitorConfig& monitor, RestartBy by) {
  const bool own_ways = !monitor.cleanup.empty() || !monitor.restart.empty();
  return {monitor.cleanup, monitor.restart, by == RestartBy::recover && !own_ways, monitor.name};
}

// What is believed of it goes on; so one that died while no agent looked has died without a
// command.
void Managed::look_again(const Record& record, Clock::time_point now) {
  const State before = state();
  const State believed = record.state;
  const bool look = !suspended_ || believed != State::online;
  const Step step =
      machine_.adopt(believed, look ? std::optional(Task::monitor) : std::nullopt, now);
  tell(NoticeKind::adopted, Severity::info,
       "it was " + std::string(name_of(believed)) + " with an earlier agent" +
           (look ? ", and is looked at" : ""));
  entered(before, now);
  // It has been in service for longer than it was so here.
  remember_monitors(record, now);
  apply(step, "", now);
}

void Managed::remember_monitors(const Record& record, Clock::time_point now) {
  for (Watch& watch : watches_) {
    const auto kept = record.monitors.find(watch.config.name);
    if (kept == record.monitors.end()) continue;
    // What is kept is of this boot; were it of another, it could be a time to come.
    const Clock::time_point since(kept->second.in_service_since);
    watch.policy.remember(kept->second.restarts, std::min(since, now));
  }
}

void Managed::configure(ResourceConfig config, Clock::time_point now) {
  const bool was_enabled = config_.enabled;
  for (Watch& watch : watches_) {
    if (watch.active) effects_.unwatch(config_, watch.config.name);
  }
  config_ = std::move(config);
  machine_.set_attributes(config_.attributes, now);
  make_watches();
  for (Watch& watch : watches_) {
    if (watch.active) {
      effects_.watch(config_, watch.config);
    } else if (!watch.begins && state() == State::online && !suspended_) {
      watch.policy.in_service(now);
      watch.begins = now + watch.config.stabilization_interval;
    }
  }
  if (config_.enabled != was_enabled && config_.enabled != enabled_) {
    command(config_.enabled ? Command::enable : Command::disable, now);
  }
}

void Managed::drop() {
  end_watches();
  effects_.forget(config_);
}

Step Managed::command(Command command, Clock::time_point now) {
  const Step step = machine_.command(command, now);
  if (!step.refused && command == Command::enable) enabled_ = true;
  // Detached it may be for a fault alone.
  if (command == Command::disable && (!step.refused || state() == State::detached)) {
    enabled_ = false;
  }
  apply(step, "", now);
  return step;
}

void Managed::suspend(Clock::time_point now) {
  if (std::exchange(suspended_, true)) return;
  end_watches();
  apply(machine_.look_away(now), "", now);
  tell(NoticeKind::monitor, Severity::warning, "monitoring is suspended");
}

void Managed::resume(Clock::time_point now) {
  if (!std::exchange(suspended_, false)) return;
  if (state() == State::online) begin_watches(now, false);
  tell(NoticeKind::monitor, Severity::info, "monitoring goes on");
}

void Managed::set_wanted(bool wanted) {
  wanted_ = wanted;
  machine_.set_wanted(wanted);
}

void Managed::ended(Task task, Ended how, const std::string& reason, Clock::time_point now) {
  if (machine_.running() != task) return;
  if (task == Task::monitor) note_monitor(how, reason, now);
  if (task == Task::stop || task == Task::clean) not_taken_out_ = how != Ended::done;
  machine_.set_leaving(goal == Goal::offline);
  const std::string why = how == Ended::done ? "" : reason;
  for (const Step& step : machine_.ended(task, how, now)) apply(step, why, now);
}

void Managed::note_monitor(Ended how, const std::string& reason, Clock::time_point now) {
  history_.probed({now, how, now - monitor_begun_});
  last_reason_ = reason;
  const bool news = last_seen_ != how;
  last_seen_ = how;
  const bool no_answer = how == Ended::unknown || how == Ended::timed_out;
  // What else it may say leads to another state, and is told with that.
  if (news && no_answer) {
    tell(NoticeKind::monitor, Severity::warning,
         with_reason(how == Ended::timed_out ? "its monitor did not end in time"
                                             : "its monitor can't tell how it is",
                     reason));
  }
}

void Managed::apply(const Step& step, const std::string& reason, Clock::time_point now) {
  if (step.dropped) effects_.drop(config_);
  if (step.row) {
    note(*step.row, reason, step.row->from);
    if (step.row->to != step.row->from || step.row->action != Action::none) {
      entered(step.row->from, now);
    }
  }
  if (!step.run) return;
  if (step.run->task == Task::monitor) monitor_begun_ = now;
  // Before it begins: an agent that is killed in between must leave word of it.
  if (outlives_agent(step.run->task)) keep();
  effects_.run(config_, task_run(*step.run));
}

TaskRun Managed::task_run(const Step::Run& run) const {
  TaskRun task{run.task, run.limit};
  task.with_startup_monitors =
      run.task == Task::start &&
      std::ranges::any_of(config_.monitors, [](const auto& one) { return one.at_startup(); });
  task.in_service_is_online = run.task == Task::monitor && !is_to_be_healthy(state());
  task.failed_is_unknown = not_taken_out_;
  // A restart's own ways; a clean on the way down is always remove.
  if (restart_ && state() == State::going_online) {
    task.by_recover = restart_->by_recover;
    if (run.task == Task::clean) {
      task.method = restart_->cleanup;
      task.restore_follows = !restart_->cleanup.empty() && restart_->restart.empty();
    }
    if (run.task == Task::start) task.method = restart_->restart;
  }
  return task;
}

void Managed::note(const Row& row, const std::string& reason, State before) {
  if (is_restart(row.event)) note_restart(row);
  if (row.event == E::offline_tolerated) {
    tell(NoticeKind::monitor, Severity::warning, with_reason("it is offline, tolerated", reason));
  }
  if (row.to != before) {
    const bool bad = is_restart(row.event) || notes_fault(row) ||
                     row.action == Action::report_not_stopped || row.event == E::online_unwanted;
    tell(NoticeKind::state, bad ? Severity::warning : Severity::info,
         std::string(name_of(before)) + " -> " + std::string(name_of(row.to)) + ": " +
             with_reason(std::string(row.name), reason));
  }
  if (row.action == Action::report_not_stopped) {
    tell(NoticeKind::state, Severity::error,
         "it was not stopped: it is online, or can't be told; look at it, then say offline again");
  }
  if (notes_fault(row)) note_fault(row, reason);
  if (row.action == Action::clear_fault) {
    if (!fault_.empty()) tell(NoticeKind::fault, Severity::info, "its fault is cleared");
    fault_.clear();
    new_fault_ = false;
    for (Watch& watch : watches_) watch.policy.forget();
  }
}

void Managed::note_restart(const Row& row) {
  // That of a monitor is told, and how it is done was set, before.
  if (row.event == E::offline_restart || row.event == E::hung_restart) {
    restart_ = Restart{{}, {}, config_.restart_by == RestartBy::recover};
    tell(NoticeKind::restart, Severity::warning,
         "restart " + std::to_string(machine_.counts().restarts) + " of " +
             std::to_string(config_.attributes.restart_limit));
  } else if (row.event != E::watch_restart && restart_) {
    restart_->by_recover = false;  // that has not worked
  }
}

void Managed::note_fault(const Row& row, const std::string& reason) {
  fault_ = with_reason(std::string(row.name), reason);
  if (reason.empty() && !last_reason_.empty() && row.event == E::wait_over_fault) {
    fault_ = with_reason(fault_, last_reason_);
  }
  new_fault_ = true;
  tell(NoticeKind::fault, Severity::error, "faulted: " + fault_);
}

void Managed::entered(State before, Clock::time_point now) {
  history_.enter(now, state(), machine_.faulted());
  if (state() == before) return;
  since_ = now;
  if (before == State::online) end_watches();
  if (state() == State::online) {
    restart_.reset();
    if (!suspended_) begin_watches(now, true);
  }
  if (before == State::offline || state() == State::going_offline || state() == State::detached) {
    restart_.reset();
  }
}

void Managed::begin_watches(Clock::time_point now, bool stabilize) {
  for (Watch& watch : watches_) {
    watch.policy.in_service(now);
    watch.begins = stabilize ? now + watch.config.stabilization_interval : now;
    watch.reason.clear();
  }
}

void Managed::end_watches() {
  for (Watch& watch : watches_) {
    watch.begins.reset();
    if (std::exchange(watch.active, false)) effects_.unwatch(config_, watch.config.name);
  }
}

void Managed::monitor_saw(const std::string& monitor, const Verdict& verdict,
                          Clock::time_point now) {
  for (Watch& watch : watches_) {
    if (watch.config.name != monitor || !watch.active) continue;
    watch.reason = verdict.healthy ? "" : verdict.reason;
    machine_.set_leaving(goal == Goal::offline);
    act(watch, watch.policy.saw(watch.config, verdict.healthy, !machine_.faulted(), now), now);
    return;
  }
}

void Managed::act(Watch& watch, MonitorPolicy::Decision decision, Clock::time_point now) {
  using enum MonitorPolicy::Decision;
  const std::string name = "monitor " + watch.config.name;
  const std::string failed = with_reason(name + " has failed", watch.reason);
  // The watch is gone with the state.
  const std::string reason = with_reason(name, watch.reason);
  if (leaves() && (decision == restart || decision == fallover)) {
    tell(NoticeKind::monitor, Severity::warning, failed + "; it was to end anyway");
    apply(machine_.failed(Machine::Failure::restart, now), reason, now);
    return;
  }
  switch (decision) {
    case none:
      return;
    case recovered:
      tell(NoticeKind::monitor, Severity::info, name + " is healthy again");
      return;
    case notify:
      tell(NoticeKind::monitor, Severity::error, failed);
      run_notify(watch, "notify");
      return;
    case restart:
      tell(NoticeKind::restart, Severity::warning,
           failed + "; restart " + std::to_string(watch.policy.restarts()) + " of " +
               std::to_string(watch.config.restart_count));
      run_notify(watch, "restart");
      restart_ = restart_after(watch.config, config_.restart_by);
      apply(machine_.failed(Machine::Failure::restart, now), reason, now);
      return;
    case fallover:
      tell(NoticeKind::monitor, Severity::error, failed);
      run_notify(watch, "fallover");
      apply(machine_.failed(Machine::Failure::fallover, now), reason, now);
      return;
  }
}

// It was commanded to, and something is waited for.
bool Managed::leaves() const {
  return goal == Goal::offline || machine_.waiting() == Command::disable;
}

void Managed::run_notify(const Watch& watch, const char* event) {
  if (watch.config.notify.empty()) return;
  effects_.run_method(config_, {"notify of monitor " + watch.config.name, watch.config.notify,
                                event, watch.config.name, config_.group, watch.reason});
}

// Whether it is looked at while nothing is done to it.
bool Managed::looks() const {
  return !suspended_ || (state() != State::online && state() != State::offline);
}

std::optional<Managed::Clock::time_point> Managed::due() const {
  std::optional<Clock::time_point> first = looks() ? machine_.due() : std::nullopt;
  for (const Watch& watch : watches_) {
    if (watch.begins && (!first || *watch.begins < *first)) first = watch.begins;
  }
  return first;
}

void Managed::tick(Clock::time_point now) {
  for (Watch& watch : watches_) {
    if (!watch.begins || now < *watch.begins) continue;
    watch.begins.reset();
    watch.active = true;
    effects_.watch(config_, watch.config);
  }
  if (looks()) apply(machine_.tick(now), "", now);
}

Record Managed::record() const {
  Record record;
  record.id = config_.id.text();
  record.group = config_.group;
  record.enabled = enabled_;
  record.suspended = suspended_;
  record.faulted = machine_.faulted();
  record.fault = fault_;
  record.standby = !wanted_;
  record.goal = goal;
  record.new_fault = new_fault_;
  record.not_taken_out = not_taken_out_;
  record.giving_up = giving_up;
  record.restarts = machine_.counts().restarts;
  record.tolerated = machine_.counts().tolerated;
  record.monitors = monitor_records();
  const auto running = machine_.running();
  if (running && outlives_agent(*running)) {
    record.task = running;
    record.state = state();
    if (restart_ && state() == State::going_online) {
      record.by_recover = restart_->by_recover;
      record.monitor = restart_->monitor;
    }
  }
  if (is_seen(state())) record.state = state();
  return record;
}

// Those that count.
std::map<std::string, MonitorRecord> Managed::monitor_records() const {
  std::map<std::string, MonitorRecord> records;
  for (const Watch& watch : watches_) {
    const MonitorPolicy& policy = watch.policy;
    if (policy.restarts() == 0) continue;
    records[watch.config.name] = {policy.restarts(),
                                  std::chrono::duration_cast<std::chrono::milliseconds>(
                                      policy.in_service_since().time_since_epoch())};
  }
  return records;
}

void Managed::keep() {
  Record now = record();
  if (kept_ == now) return;
  kept_ = std::move(now);
  effects_.keep(config_, *kept_);
}

MonitorView Managed::view_of(const Watch& watch) const {
  MonitorState what = MonitorState::off;
  if (suspended_) what = MonitorState::suspended;
  if (watch.begins) what = MonitorState::stabilizing;
  if (watch.active) what = watch.policy.failed() ? MonitorState::failed : MonitorState::watching;
  return {watch.config.name,       watch.config.kind, watch.config.mode, what,
          watch.policy.restarts(), watch.reason};
}

ResourceView Managed::view() const {
  ResourceView view{tag(),         config_.id.text(), config_.type,
                    config_.group, config_.critical,  config_.depends_on};
  view.state = state();
  view.faulted = machine_.faulted();
  view.fault = fault_;
  view.suspended = suspended_;
  view.wanted = wanted_;
  view.running = machine_.running();
  view.waiting = machine_.waiting();
  view.goal = goal;
  view.since = since_;
  view.last_reason = last_reason_;
  view.counts = machine_.counts();
  for (const MonitorConfig& monitor : config_.monitors) {
    const auto watch = std::ranges::find_if(
        watches_, [&](const Watch& one) { return one.config.name == monitor.name; });
    view.monitors.push_back(watch != watches_.end()
                                ? view_of(*watch)
                                : MonitorView{monitor.name, monitor.kind, monitor.mode});
  }
  view.history = &history_;
  return view;
}

void Managed::tell(NoticeKind kind, Severity severity, std::string text) const {
  effects_.tell({kind, severity, tag(), std::move(text)});
}

}  // namespace genapp::agent
