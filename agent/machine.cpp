#include "agent/machine.hpp"

#include <algorithm>

namespace genapp::agent {
namespace {

using enum State;
using E = Event;

// One more of what is bounded: true while it is within its limit.
bool within(std::size_t& count, std::size_t limit) {
  if (count >= limit) return false;
  ++count;
  return true;
}

}  // namespace

Step Machine::command(Command command, Clock::time_point now) {
  // What is unstable is left to end; and a monitor, which soon does.
  if (command != Command::clear && state_ != detached && (running_ || is_unstable(state_)) &&
      !(state_ == probing && !running_)) {
    waiting_ = command;
    Step step;
    step.waits = true;
    return step;
  }
  const bool kept_from_it = command == Command::online && faulted_ && state_ != online;
  Step step = kept_from_it ? Step{} : take(classify(command), now);
  step.refused = !step.row;
  return step;
}

std::vector<Step> Machine::ended(Task task, Ended how, Clock::time_point now) {
  if (running_ != task) return {};
  running_.reset();
  // What it has seen is nobody's business any more.
  if (task == Task::monitor && waiting_ == Command::disable && find_row(state_, E::disable)) {
    return {*follow_waiting(now)};
  }
  forget_after_trust(now);
  std::vector<Step> steps{take(classify(task, how), now)};
  if (const auto next = follow_waiting(now)) steps.push_back(*next);
  return steps;
}

Step Machine::failed(Failure failure, Clock::time_point now) {
  if (state_ != online) return {};
  const bool dropped = running_.has_value();
  running_.reset();
  forget_after_trust(now);
  Step step;
  if (waiting_ == Command::offline || waiting_ == Command::disable) {
    // It was to end anyway.
    step = follow_waiting(now).value_or(Step{});
  } else {
    step = take(watch_failed(failure), now);
  }
  step.dropped = dropped;
  return step;
}

Step Machine::look_away(Clock::time_point now) {
  if (running_ != Task::monitor || is_unstable(state_)) return {};
  running_.reset();
  Step step = follow_waiting(now).value_or(Step{});
  step.dropped = true;
  return step;
}

void Machine::remember(bool faulted, std::size_t restarts, std::size_t tolerated) {
  faulted_ = faulted;
  counts_.restarts = restarts;
  counts_.tolerated = tolerated;
}

Step Machine::adopt(State state, std::optional<Task> task, Clock::time_point now) {
  state_ = state;
  if (state_ == online) online_since_ = now;
  due_ = now;
  return task ? run(*task) : Step{};
}

void Machine::set_attributes(const Attributes& attributes, Clock::time_point now) {
  attributes_ = attributes;
  const auto length = pause();
  if (length) due_ = std::min(due_.value_or(Clock::time_point::max()), now + *length);
}

Step Machine::tick(Clock::time_point now) {
  if (running_ || !due_ || now < *due_) return {};
  return run(Task::monitor);
}

std::optional<Machine::Clock::time_point> Machine::due() const {
  return running_ ? std::nullopt : due_;
}

// The command that has waited, once nothing runs and the state takes it. While the state is still
// on its way the command waits on.
std::optional<Step> Machine::follow_waiting(Clock::time_point now) {
  if (!waiting_ || running_ || (is_unstable(state_) && state_ != probing)) return std::nullopt;
  const Command command = *waiting_;
  waiting_.reset();
  return this->command(command, now);
}

Event Machine::classify(Command command) const {
  switch (command) {
    case Command::enable:
      return E::enable;
    case Command::disable:
      return E::disable;
    case Command::online:
      return E::command_online;
    case Command::offline:
      return E::command_offline;
    case Command::clear:
      break;
  }
  return E::clear;
}

Event Machine::classify(Task task, Ended how) {
  const bool done = how == Ended::done;
  switch (task) {
    case Task::open:
      return done ? E::opened : E::open_failed;
    case Task::monitor:
      return after_monitor(how);
    case Task::start:
      return done ? E::start_ended : start_failed(E::start_failed_retry, E::start_failed_fault);
    case Task::stop:
      return how == Ended::timed_out ? E::stop_timed_out : E::stop_ended;
    case Task::clean:
      break;
  }
  return done ? E::cleaned : E::clean_failed;
}

Event Machine::after_monitor(Ended how) {
  if (how != Ended::timed_out) counts_.monitor_timeouts = 0;
  switch (state_) {
    case going_online_wait:
      if (how == Ended::done) return E::seen_online;
      if (within(counts_.waits, attributes_.online_wait_limit)) return E::wait_on;
      return start_failed(E::wait_over_retry, E::wait_over_fault);
    case going_offline_wait:
      if (how == Ended::failed) return E::seen_offline;
      if (within(counts_.waits, attributes_.offline_wait_limit)) return E::wait_on;
      return cleaned_ ? E::wait_over_stuck : E::wait_over_clean;
    default:
      if (how == Ended::done) return seen_online();
      if (how == Ended::failed) return seen_offline();
      return how == Ended::timed_out ? hung() : E::seen_nothing;
  }
}

Event Machine::seen_online() { return wanted_ ? E::seen_online : E::online_unwanted; }

Event Machine::seen_offline() {
  if (state_ != online) return E::seen_offline;
  return leaving_ ? E::command_offline : offline_without_command();
}

Event Machine::offline_without_command() {
  if (within(counts_.tolerated, attributes_.tolerance_limit)) return E::offline_tolerated;
  return may_restart() ? E::offline_restart : E::offline_fault;
}

Event Machine::hung() {
  const std::size_t most = attributes_.fault_on_monitor_timeouts;
  if (state_ != online || leaving_ || most == 0 || ++counts_.monitor_timeouts < most)
    return E::seen_nothing;
  return may_restart() ? E::hung_restart : E::hung_fault;
}

// One that fails while it is to go offline is stopped without waiting for others any more.
Event Machine::watch_failed(Failure failure) const {
  if (leaving_) return E::command_offline;
  return failure == Failure::restart && !faulted_ ? E::watch_restart : E::watch_fallover;
}

// One that is faulted and online nevertheless is started by nobody.
bool Machine::may_restart() {
  return !faulted_ && within(counts_.restarts, attributes_.restart_limit);
}

Event Machine::start_failed(Event retry, Event fault) {
  return within(counts_.retries, attributes_.online_retry_limit) ? retry : fault;
}

Step Machine::take(Event event, Clock::time_point now) {
  const Row* row = find_row(state_, event);
  if (!row) return {};
  enter(*row, now);
  Step step = run_for(row->action, now);
  step.row = row;
  return step;
}

void Machine::enter(const Row& row, Clock::time_point now) {
  const State before = state_;
  state_ = row.to;
  if (state_ != before) {
    counts_.waits = 0;
    counts_.monitor_timeouts = 0;
    if (before != going_offline && state_ == going_offline) cleaned_ = false;
    if (before == going_online_wait && state_ == online) counts_.retries = 0;
    if (before == offline && state_ == going_online) counts_.retries = 0;
    online_since_ = state_ == online ? std::optional(now) : std::nullopt;
  }
  if (row.event == E::wait_over_clean) cleaned_ = true;
  const auto length = pause();
  const bool spread = state_ != before && (state_ == online || state_ == offline);
  const auto part = [&](Attributes::Duration whole) {
    return std::chrono::duration_cast<Attributes::Duration>(whole * (spread ? phase_ : 1.0));
  };
  due_ = length ? std::optional(now + part(*length)) : std::nullopt;
}

// Until the next monitor; nothing: none.
std::optional<Attributes::Duration> Machine::pause() const {
  switch (state_) {
    case online:
    case probing:
    case going_offline_wait:
      return attributes_.monitor_interval;
    case offline:
    case going_online_wait:
      // Seed 003, 6. Where nobody looks while it is offline, a start is still waited for.
      if (attributes_.offline_monitor_interval > Attributes::Duration::zero()) {
        return attributes_.offline_monitor_interval;
      }
      if (state_ == going_online_wait) return attributes_.monitor_interval;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

Step Machine::run_for(Action action, Clock::time_point) {
  switch (action) {
    case Action::open:
      return run(Task::open);
    case Action::monitor:
      return run(Task::monitor);
    case Action::start:
      return run(Task::start);
    case Action::stop:
      return run(Task::stop);
    case Action::clean_and_note_fault:
      faulted_ = true;
      cleaned_ = true;
      return run(Task::clean);
    case Action::clean:
      return run(Task::clean);
    case Action::note_fault:
      faulted_ = true;
      return {};
    case Action::clear_fault:
      faulted_ = false;
      counts_ = {};
      return {};
    case Action::none:
    case Action::report_not_stopped:
      break;
  }
  return {};
}

Step Machine::run(Task task) {
  running_ = task;
  Step step;
  step.run = Step::Run{task, limit_of(task)};
  return step;
}

Attributes::Duration Machine::limit_of(Task task) const {
  switch (task) {
    case Task::open:
    case Task::monitor:
      return attributes_.monitor_timeout;
    case Task::start:
      return attributes_.online_timeout;
    case Task::stop:
      return attributes_.offline_timeout;
    case Task::clean:
      break;
  }
  return attributes_.clean_timeout;
}

// OnlineTrustTime (VCS: ConfInterval).
void Machine::forget_after_trust(Clock::time_point now) {
  if (!online_since_ || now - *online_since_ < attributes_.online_trust_time) return;
  counts_.restarts = 0;
  counts_.tolerated = 0;
  counts_.retries = 0;
}

}  // namespace genapp::agent
