#include "lbhc/health_check.hpp"

#include <poll.h>

#include "common/error.hpp"
#include "common/flag_file.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/printable.hpp"
#include "lbhc/control.hpp"
#include "lbhc/health.hpp"
#include "lbhc/launch.hpp"
#include "lbhc/local_connection.hpp"
#include "lbhc/local_listener.hpp"
#include "lbhc/reply.hpp"
#include "lbhc/stop.hpp"

namespace genapp::lbhc {
namespace {

namespace log = common::log;
using common::Clock;
using common::Error;
using common::Outcome;
using common::State;

// quickCheck must never take 5 s; this is its only wait.
constexpr auto kControlTime = std::chrono::seconds(3);
constexpr auto kStartSlack = std::chrono::seconds(5);
constexpr int kPauseMilliseconds = 20;
// How often remove ends a daemon that somebody else keeps starting.
constexpr int kMostRounds = 10;

// Under ID.lock: a daemon that is just being started is alive by its lock before it can answer, and
// is none to judge before its start is through. Makes no lock file where nothing was ever started.
bool is_started(const common::Directory& run_dir, const common::Id& id) {
  const auto lock = common::LockFile::acquire_if_there(run_dir, common::paths::lock_name(id));
  return common::is_alive(run_dir, id);
}

using Question = std::function<Status()>;

void ask_daemon(const common::Directory& run_dir, const common::Id& id, const Question& question,
                Observation& seen) {
  seen.flag_file = common::flag_is_up(run_dir, id);
  try {
    const Status status = question();
    seen.answered = true;
    seen.flag_in_status = status.no_probe.has_value();
    seen.no_probe_cause = status.no_probe.value_or("");
  } catch (const Error& problem) {
    seen.why_silent = problem.what();
  }
}

// What answers for a resource that is out of service; empty when nothing does.
std::string what_answers(const common::Directory& run_dir, const common::Id& id,
                         const Config& config) {
  if (is_started(run_dir, id)) {
    // It may wait for its first probe.
    const Status status = ask_status(run_dir, id, kControlTime);
    if (status.phase != Phase::serving) return "";
    return "its daemon (pid " + std::to_string(status.pid) + ") serves";
  }
  const auto listener = find_listener(config.listen, config.port);
  if (!listener) return "";
  return "port " + std::to_string(config.port) + " is open (" + listener->text() +
         "): see whose it is with 'ss -ltnp sport = :" + std::to_string(config.port) + "'";
}

}  // namespace

HealthCheck::HealthCheck(const common::Directory& run_dir, common::StateStore& states,
                         common::Tag tag, common::Id id, Config config, log::DaemonLog log,
                         std::string user)
    : run_dir_(run_dir),
      states_(states),
      tag_(std::move(tag)),
      id_(std::move(id)),
      config_(std::move(config)),
      log_(std::move(log)),
      user_(std::move(user)) {}

Outcome HealthCheck::restore() {
  if (config_.lb_profile) {
    const auto warning = hc_timeout_warning(*config_.lb_profile, config_.hc_timeout);
    if (warning) log::warn(*warning);
  }
  try {
    if (is_started(run_dir_, id_)) return already_running();
    return start(config_.wait_first_probe, false);
  } catch (const DaemonIsRunning&) {
    return already_running();
  } catch (const Error&) {
    record_failed_start(run_dir_, id_, states_);
    throw;
  }
}

Outcome HealthCheck::start(bool wait_first_probe, bool only_in_service) {
  const auto require_in_service = [this, only_in_service] {
    if (only_in_service && !common::in_service(states_.read())) {
      throw Error("the resource was taken out of service meanwhile");
    }
  };
  launch_daemon({
      .run_dir = run_dir_,
      .tag = tag_,
      .id = id_,
      .config = config_,
      .wait_first_probe = wait_first_probe,
      .log = log_,
      .user = user_,
      .before_start = require_in_service,
      .take_note =
          [&] {
            require_in_service();
            if (!only_in_service) states_.write(State::in_service_protected);
          },
  });
  return Outcome::ok();
}

// False when the daemon that said that it serves is not the one that lives now.
bool HealthCheck::note_serving(pid_t pid) {
  const auto lock = common::LockFile::acquire(run_dir_, common::paths::lock_name(id_));
  const auto living = common::find_living(run_dir_, id_);
  if (!living || living->pid != pid) return false;
  states_.write(State::in_service_protected);
  return true;
}

Outcome HealthCheck::already_running() {
  const std::string who = "a daemon for the id \"" + id_.text() + "\" is already running";
  if (config_.already_running == AlreadyRunning::fail) {
    return Outcome::failed(who + ": remove it first, or set already_running = \"ok\"");
  }
  const auto deadline = Clock::now() + config_.hc_timeout + kStartSlack;
  while (is_started(run_dir_, id_)) {
    const Status status = ask_status(run_dir_, id_, kControlTime);
    if (status.port != config_.port || status.protocol != protocol_text(config_.protocol)) {
      return Outcome::failed(who + ", but as " + status.protocol + " on port " +
                             std::to_string(status.port) + ": remove it first");
    }
    if (status.phase == Phase::draining) return Outcome::failed(who + " and is being taken out");
    if (status.phase == Phase::serving && note_serving(status.pid)) return Outcome::ok(who);
    if (Clock::now() >= deadline) return Outcome::failed(who + " but no probe has come");
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
  return Outcome::failed("the daemon that was already running has ended");
}

Outcome remove_by_id(const common::Directory& run_dir, common::StateStore& states,
                     const common::Id& id, Clock::duration drain) {
  const bool was_running = stop_daemon(run_dir, id, drain);
  const auto record = [&states] { states.write(State::out_unimpaired); };
  // A recover or restore may have slipped in a new daemon between the end of the old one and our
  // getting ID.lock. To leave that one alone would be to answer "out of service" for a node that
  // serves; found by model/lifecycle.pml.
  for (int round = 1; !clean_up_if_dead(run_dir, id, record); ++round) {
    if (round == kMostRounds) return Outcome::failed("it is started again and again meanwhile");
    stop_daemon(run_dir, id, Clock::duration::zero());
  }
  return Outcome::ok(was_running ? "" : "it was not running");
}

Outcome HealthCheck::remove() { return remove_by_id(run_dir_, states_, id_, config_.drain); }

Verdict HealthCheck::look(std::optional<Clock::duration> lease, bool standby) const {
  Observation seen;
  seen.state = states_.read();
  if (standby && !common::in_service(seen.state)) {
    seen.answers_here = what_answers(run_dir_, id_, config_);
    // A restore may have come in between.
    if (!seen.answers_here.empty()) seen.state = states_.read();
  } else if (seen.state == State::in_service_protected) {
    seen.alive = common::is_alive(run_dir_, id_);
    const auto question = [&] {
      return lease ? ask_check(run_dir_, id_, *lease, kControlTime)
                   : ask_status(run_dir_, id_, kControlTime);
    };
    if (seen.alive) ask_daemon(run_dir_, id_, question, seen);
  }
  return judge(seen);
}

void HealthCheck::probe_itself() const {
  const auto deadline = Clock::now() + kControlTime;
  LocalConnection connection(config_.listen, config_.port);
  ask_own_probe(run_dir_, id_, connection.source_port(), kControlTime);
  const bool http = config_.protocol == Protocol::http;
  const std::string answer = connection.ask(http ? "GET / HTTP/1.0\r\n\r\n" : "", deadline);
  const bool right = http ? answer.starts_with("HTTP/1.0 200 ")
                          : answer == greeting(config_.protocol, config_.message, false);
  if (!right) {
    throw Error("a probe of port " + std::to_string(config_.port) + " was answered with " +
                common::quoted(answer, 200));
  }
}

Outcome HealthCheck::quick_check() {
  const Verdict verdict = look(config_.lease, config_.standby_check);
  if (is_failure(verdict.health, config_.on_no_probe)) return Outcome::failed(verdict.reason);
  if (verdict.health == Health::no_probe && config_.on_no_probe == OnNoProbe::warn) {
    log::warn(verdict.reason);
  }
  return Outcome::ok(verdict.reason);
}

Outcome HealthCheck::recover() {
  if (config_.recover == Recover::none) {
    return Outcome::failed("recover = \"none\": leaving it to the cluster to fail over");
  }
  const State state = states_.read();
  if (!common::in_service(state)) {
    return Outcome::failed("the state is " + std::string(common::state_text(state)) +
                           ": only a resource in service can be recovered");
  }
  Observation seen;
  seen.state = State::in_service_protected;
  seen.alive = is_started(run_dir_, id_);
  const auto question = [this] { return ask_status(run_dir_, id_, kControlTime); };
  if (seen.alive) ask_daemon(run_dir_, id_, question, seen);
  const Verdict verdict = judge(seen);
  if (verdict.health == Health::healthy) return Outcome::ok("it is healthy: nothing to recover");
  log::info("starting afresh: " + verdict.reason);
  stop_daemon(run_dir_, id_, Clock::duration::zero());
  return start(true, true);
}

}  // namespace genapp::lbhc
