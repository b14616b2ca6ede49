#include "remote/resource/remote_command.hpp"

#include <poll.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/family.hpp"
#include "common/log.hpp"
#include "remote/resource/manager_program.hpp"

namespace genapp::remote {
namespace {

namespace log = common::log;
using common::Clock;
using common::Error;
using common::ExitCode;
using common::Outcome;
using common::State;
using script::Action;
using script::Turn;

// A quickCheck answers within 5 s, whatever happens; appmgr is given less.
constexpr auto kMostCheckTime = std::chrono::seconds(5);
constexpr auto kCheckSlack = std::chrono::milliseconds(500);
// Between two looks whether a command that was started still runs.
constexpr auto kLookAgain = std::chrono::seconds(1);
// Between two attempts at a guest that can't be reached.
constexpr auto kTryAgain = std::chrono::milliseconds(200);

bool is_ok(const Outcome& outcome) { return outcome.exit_code == ExitCode::ok; }

void pause(Clock::duration length) {
  const auto end = Clock::now() + length;
  for (auto left = length; left > Clock::duration::zero(); left = end - Clock::now()) {
    const auto whole = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    ::poll(nullptr, 0, static_cast<int>(std::min<long long>(whole, 60'000)));
  }
}

}  // namespace

RemoteCommand::RemoteCommand(const common::Directory& run_dir, common::StateStore& states,
                             common::Tag tag, common::Id id, RemoteConfig config,
                             Clock::time_point began)
    : run_dir_(run_dir),
      states_(states),
      tag_(std::move(tag)),
      id_(std::move(id)),
      config_(std::move(config)),
      began_(began) {}

CallEnd RemoteCommand::call(MakeCall make, const std::string& run, Time end,
                            std::chrono::seconds silence) const {
  const std::string appmgr = find_appmgr(config_.appmgr);
  const CallEnd ended = run_appmgr(appmgr, make(config_, silence), run, end - Clock::now());
  // A certificate that expires soon, say. What went wrong is told with the outcome.
  const std::string words = last_words_of(ended.words);
  if (!ended.timed_out && ended.ending == common::Ending{} && !words.empty()) {
    log::warn("\"" + tag_.text() + "\": appmgr: " + words);
  }
  return ended;
}

CallEnd RemoteCommand::call(MakeCall make, const std::string& run, Time end) const {
  // A stop is answered when the command has ended: appmgr gives it kill_after more.
  const auto of_stop = make == stop_call ? config_.kill_after : std::chrono::seconds(0);
  return call(make, run, end, silence_within(config_, end - Clock::now() - of_stop));
}

CallEnd RemoteCommand::look(const std::string& run, Time end) const {
  const auto silence = silence_within(config_, end - Clock::now());
  const auto until = Clock::now() + silence;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(until - Clock::now());
    CallEnd ended = call(status_call, run, end, std::clamp(left, std::chrono::seconds(1), silence));
    const bool again =
        meaning_of_status(config_, ended) == Meaning::unreachable && !ended.timed_out;
    if (!again || Clock::now() + kTryAgain >= until) return ended;
    pause(kTryAgain);
  }
}

// The start has failed, or nobody knows. What may run is stopped, so that nothing runs that the
// cluster takes for stopped.
Outcome RemoteCommand::not_started(const std::string& run, const std::string& why) const {
  const Outcome undone = stop(run).outcome;
  if (is_ok(undone)) return Outcome::failed(why + "; whatever was started is stopped");
  return Outcome::failed(why + "; it may run on " + node_text(config_) +
                         " all the same, and could not be stopped: " + undone.reason);
}

Outcome RemoteCommand::require_still_running(const std::string& run) const {
  const auto counts = Clock::now() + config_.started_after;
  while (Clock::now() < counts) {
    pause(std::min<Clock::duration>(kLookAgain, counts - Clock::now()));
    const CallEnd end = look(run, Clock::now() + config_.start_timeout);
    const Meaning meaning = meaning_of_status(config_, end);
    if (meaning == Meaning::done) continue;
    if (meaning == Meaning::not_running || meaning == Meaning::unknown) {
      // It stays to be looked at (appmgr --attach): the next restore or remove forgets it.
      return Outcome::failed(not_running_text(config_, end) + ", within " +
                             common::seconds_text(config_.started_after) +
                             " s of its start; to see its output: appmgr --node " +
                             node_text(config_) + " --attach " + config_.session);
    }
    return not_started(run, "it was started, and then " + call_text(config_, end));
  }
  return Outcome::ok("its command runs on " + node_text(config_));
}

// What runs there is the command that is wanted: appmgr refuses another one.
Outcome RemoteCommand::start_anew(const std::string& run, Time end) const {
  const CallEnd ended = call(start_call, run, end);
  if (meaning_of(config_, ended) == Meaning::done) return require_still_running(run);
  const std::string why = call_text(config_, ended);
  return may_have_started(ended) ? not_started(run, why) : Outcome::failed(why);
}

Outcome RemoteCommand::start(const std::string& run, Time end) const {
  const CallEnd found = look(run, end);
  switch (meaning_of_status(config_, found)) {
    case Meaning::done: {
      if (!config_.already_running_is_ok) {
        return Outcome::failed("its command runs already on " + node_text(config_) +
                               ", and already_running = \"fail\"");
      }
      // It is not ours to stop, should that fail.
      const CallEnd same = call(start_call, run, end);
      if (meaning_of(config_, same) != Meaning::done)
        return Outcome::failed(call_text(config_, same));
      return Outcome::ok("its command ran already on " + node_text(config_));
    }
    case Meaning::not_running:
    case Meaning::unknown:
      break;
    default:
      return Outcome::failed(call_text(config_, found));
  }
  // One that has ended would be found instead of started. Not by a stop: should another host have
  // started it meanwhile, it goes on. That there is none is what a first start finds; what else may
  // be wrong is told by the start.
  const CallEnd forgotten = call(acknowledge_call, run, end);
  if (meaning_of(config_, forgotten) == Meaning::unreachable) {
    return Outcome::failed(call_text(config_, forgotten));
  }
  return start_anew(run, end);
}

Outcome RemoteCommand::restore() {
  Turn turn = Turn::take(run_dir_, id_, Action::restore, Clock::now() + config_.start_timeout);
  Outcome outcome = Outcome::ok();
  try {
    outcome = start(turn.run(), Clock::now() + config_.start_timeout);
  } catch (const Error& problem) {
    outcome = Outcome::failed(problem.what());
  }
  std::move(turn).give_back([&] {
    if (is_ok(outcome)) {
      states_.write(State::in_service_protected);
    } else if (!common::in_service(states_.read())) {
      // A resource in service stays so: quickCheck goes on looking, and tells.
      states_.write(State::out_failed);
    }
  });
  return outcome;
}

RemoteCommand::Stopped RemoteCommand::stop(const std::string& run) const {
  const CallEnd end = call(stop_call, run, Clock::now() + config_.stop_timeout);
  const Meaning meaning = meaning_of(config_, end);
  if (meaning == Meaning::done || meaning == Meaning::unknown) {
    return {Outcome::ok("its command does not run on " + node_text(config_))};
  }
  return {Outcome::failed(call_text(config_, end)), was_never_reached(config_, end)};
}

Outcome RemoteCommand::stop_for_remove(const std::string& run) const {
  const Stopped stopped = stop(run);
  if (is_ok(stopped.outcome)) return stopped.outcome;
  if (!stopped.unreachable || !config_.remove_unreachable_is_ok) {
    return Outcome::failed(stopped.outcome.reason + "; its command may still run there");
  }
  log::warn("\"" + tag_.text() + "\": " + stopped.outcome.reason +
            "; remove_unreachable = \"ok\", so its command counts as stopped");
  return Outcome::ok("the guest can't be reached, which counts as stopped");
}

Outcome RemoteCommand::remove() {
  Turn turn = Turn::take(run_dir_, id_, Action::remove, Clock::now() + config_.stop_timeout);
  Outcome outcome = Outcome::ok();
  try {
    outcome = stop_for_remove(turn.run());
  } catch (const Error& problem) {
    outcome = Outcome::failed(std::string(problem.what()) + "; its command may still run on " +
                              node_text(config_));
  }
  if (is_ok(outcome)) {
    std::move(turn).give_back_for_good([&] { states_.write(State::out_unimpaired); });
  } else {
    std::move(turn).give_back([] {});
  }
  return outcome;
}

Outcome RemoteCommand::quick_check() {
  const State state = states_.read();
  if (state != State::in_service_protected) {
    return Outcome::ok("not looked at: the state is " + std::string(common::state_text(state)));
  }
  if (script::remove_is_at_work(run_dir_, id_)) {
    return Outcome::ok("not looked at: a remove is at work");
  }
  const CallEnd end = look(common::own_run(), began_ + kMostCheckTime - kCheckSlack);
  switch (meaning_of_status(config_, end)) {
    case Meaning::done:
      return Outcome::ok("its command runs on " + node_text(config_));
    case Meaning::not_running:
      return Outcome::failed(not_running_text(config_, end));
    case Meaning::unreachable:
      if (!config_.unreachable_is_healthy) return Outcome::failed(call_text(config_, end));
      log::warn("\"" + tag_.text() + "\": " + call_text(config_, end) +
                "; on_unreachable = \"warn\"");
      return Outcome::ok("nothing is known: on_unreachable = \"warn\"");
    default:
      return Outcome::failed(call_text(config_, end));
  }
}

void RemoteCommand::require_in_service() const {
  const State state = states_.read();
  if (!common::in_service(state)) {
    throw Error("the state is " + std::string(common::state_text(state)) +
                ": only a resource in service can be recovered");
  }
}

Outcome RemoteCommand::restart(const std::string& run) const {
  const Outcome stopped = stop(run).outcome;
  return !is_ok(stopped) ? stopped : start_anew(run, Clock::now() + config_.start_timeout);
}

Outcome RemoteCommand::recover() {
  if (!config_.recover_restarts) {
    return Outcome::failed("recover = \"none\": leaving it to the cluster to fail over");
  }
  require_in_service();
  Turn turn = Turn::take(run_dir_, id_, Action::recover, Clock::now() + config_.start_timeout);
  Outcome outcome = Outcome::ok();
  try {
    require_in_service();  // a remove may have come before
    outcome = restart(turn.run());
  } catch (const Error& problem) {
    outcome = Outcome::failed(problem.what());
  }
  std::move(turn).give_back([] {});
  return outcome;
}

Clock::duration RemoteCommand::longest_quick_check() const {
  return std::max<Clock::duration>(began_ + kMostCheckTime - Clock::now(),
                                   std::chrono::milliseconds(1));
}

GuestLook look_at_guest(const RemoteConfig& config, Clock::duration limit) {
  const CallEnd end =
      run_appmgr(find_appmgr(config.appmgr), status_call(config, silence_within(config, limit)),
                 common::own_run(), limit);
  switch (meaning_of_status(config, end)) {
    case Meaning::done:
      return {true, parse_session_seen(end.out)->pid};
    case Meaning::not_running:
    case Meaning::unknown:
      return {};
    default:
      throw Error(call_text(config, end));
  }
}

}  // namespace genapp::remote
