#include "script/script_set.hpp"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/log.hpp"
#include "common/printable.hpp"
#include "script/environment.hpp"
#include "script/run.hpp"
#include "script/supervisor.hpp"

namespace genapp::script {
namespace {

namespace log = common::log;
using common::Clock;
using common::Error;
using common::Outcome;
using common::State;

// For ending what a quickCheck has left, after its own time.
constexpr auto kCheckSlack = std::chrono::milliseconds(1500);

std::optional<std::string> from_own_environment(const std::string& name) {
  const char* value = ::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = "";
  return ::gethostname(name, sizeof name) == 0 ? name : "";
}

common::Account account_for(const std::string& user) {
  if (!user.empty()) return common::find_account(user);
  try {
    return common::account_of(::geteuid());
  } catch (const Error&) {
    return common::Account();  // no /etc/passwd: it is only for HOME and the like
  }
}

common::Spawn program_for(const Config& config, Action action, const Surroundings& about) {
  common::Spawn program;
  program.argv = config.command(action).argv;
  for (const std::string& argument : {std::string("-t"), about.tag, std::string("-i"), about.id}) {
    program.argv.push_back(argument);
  }
  program.environment = make_environment(about, from_own_environment);
  if (!config.user.empty()) program.identity = about.account.identity;
  program.umask = config.umask;
  program.limits = config.limits;
  return program;
}

}  // namespace

ScriptSet::ScriptSet(const common::Directory& run_dir, common::StateStore& states, common::Tag tag,
                     common::Id id, std::string info, Config config, log::DaemonLog log,
                     Clock::time_point began)
    : run_dir_(run_dir),
      states_(states),
      tag_(std::move(tag)),
      id_(std::move(id)),
      info_(std::move(info)),
      config_(std::move(config)),
      log_(std::move(log)),
      began_(began) {}

Clock::time_point ScriptSet::deadline(Action action) const {
  return Clock::now() + config_.command(action).timeout;
}

Surroundings ScriptSet::surroundings(Action action, const std::string& run) const {
  return {
      .tag = tag_.text(),
      .id = id_.text(),
      .info = info_,
      .action = action,
      .run = run,
      .account = account_for(config_.user),
      .host = host_name(),
      .home_server = config_.home_server,
      .pass = config_.pass_environment,
  };
}

ScriptSet::Ran ScriptSet::run(Action action, const Turn& turn) const {
  return run(action, turn, config_.command(action).timeout);
}

ScriptSet::Ran ScriptSet::run(Action action, const Turn& turn, Clock::duration timeout) const {
  const ActionRow& row = row_of(action);
  const Command& command = config_.command(action);
  Output output(OutputBounds{}, [this](Stream stream, std::string_view line) {
    log::info("\"" + tag_.text() + "\" " + std::string(stream_name(stream)) + ": " +
              std::string(line));
  });
  const Result result = script::run(
      {
          .program = program_for(config_, action, surroundings(action, turn.run())),
          .timeout = timeout,
          // A check changes nothing that TERM would let it tidy up, and LifeKeeper does not wait.
          .kill_after =
              action == Action::quick_check ? Clock::duration::zero() : config_.kill_after,
          .leftovers = row.leftovers,
      },
      output);
  if (output.dropped() > 0) {
    log::warn("\"" + tag_.text() + "\": " + std::to_string(output.dropped()) +
              " bytes of output are not logged");
  }
  if (result.succeeded()) return {result, Outcome::ok()};
  const std::string text = result_text(result, timeout);
  if (result.how == How::could_not_start) return {result, Outcome::failed(text)};
  return {result, Outcome::failed("its " + std::string(row.key) + " script " +
                                  common::quoted(command.argv.front(), 200) + " " + text +
                                  last_words(output))};
}

ScriptSet::Ran ScriptSet::run_if_there(Action action, const Turn& turn) const {
  return has(action) ? run(action, turn) : Ran{{}, Outcome::ok()};
}

void ScriptSet::start_command(const std::function<void()>& take_note) const {
  start_supervised({
      .run_dir = run_dir_,
      .tag = tag_,
      .id = id_,
      .program =
          [this](const std::string& run) {
            return program_for(config_, Action::restore, surroundings(Action::restore, run));
          },
      .started_after = config_.started_after,
      .kill_after = config_.kill_after,
      .log = log_,
      .take_note = take_note,
  });
}

Outcome ScriptSet::restore_supervised(Turn turn) {
  Outcome outcome = Outcome::ok();
  try {
    start_command([this] { states_.write(State::in_service_protected); });
  } catch (const Error& problem) {
    outcome = Outcome::failed(problem.what());
  }
  std::move(turn).give_back([&] {
    if (outcome.exit_code != common::ExitCode::ok && !common::in_service(states_.read())) {
      states_.write(State::out_failed);
    }
  });
  return outcome;
}

Outcome ScriptSet::restore() {
  Turn turn = Turn::take(run_dir_, id_, Action::restore, deadline(Action::restore));
  if (is_supervised()) return restore_supervised(std::move(turn));
  const Ran ran = run(Action::restore, turn);
  std::move(turn).give_back([&] {
    if (ran.result.succeeded()) {
      states_.write(State::in_service_protected);
    } else if (!common::in_service(states_.read())) {
      // A resource in service stays so: quickCheck goes on looking, and tells.
      states_.write(State::out_failed);
    }
  });
  return ran.outcome;
}

Outcome ScriptSet::remove() {
  Turn turn = Turn::take(run_dir_, id_, Action::remove, deadline(Action::remove));
  const Ran ran = run_if_there(Action::remove, turn);
  // Also after a start = "async" that is no more, and after a script that failed: what a supervisor
  // has started must not outlive a remove.
  end_supervised(run_dir_, id_, config_.kill_after);
  if (ran.result.succeeded()) {
    std::move(turn).give_back_for_good([&] { states_.write(State::out_unimpaired); });
  } else {
    std::move(turn).give_back([] {});
  }
  return ran.outcome;
}

Outcome ScriptSet::quick_check() {
  const State state = states_.read();
  if (state != State::in_service_protected) {
    return Outcome::ok("not looked at: the state is " + std::string(common::state_text(state)));
  }
  if (remove_is_at_work(run_dir_, id_)) return Outcome::ok("not looked at: a remove is at work");
  if (is_supervised()) {
    if (const auto why = why_not_running(run_dir_, id_)) return Outcome::failed(*why);
  }
  if (!has(Action::quick_check)) {
    return Outcome::ok(is_supervised() ? "its command runs" : "it has no quickCheck");
  }
  // One limit for all: the caller's does not care whom we waited for.
  const auto end = began_ + config_.command(Action::quick_check).timeout;
  Turn turn = Turn::take(run_dir_, id_, Action::quick_check, end);
  const Ran ran = run(Action::quick_check, turn, end - Clock::now());
  std::move(turn).give_back([] {});
  return ran.outcome;
}

void ScriptSet::require_in_service() const {
  const State state = states_.read();
  if (!common::in_service(state)) {
    throw Error("the state is " + std::string(common::state_text(state)) +
                ": only a resource in service can be recovered");
  }
}

// The recover script tidies up between the end and the new start.
Outcome ScriptSet::restart(const Turn& turn) {
  end_supervised(run_dir_, id_, config_.kill_after);
  const Ran ran = run_if_there(Action::recover, turn);
  if (ran.result.succeeded()) start_command([this] { require_in_service(); });
  return ran.outcome;
}

Outcome ScriptSet::recover() {
  const bool restarts = is_supervised() && config_.restart;
  if (!has(Action::recover) && !restarts) {
    return Outcome::failed("it has no recover: leaving it to the cluster to fail over");
  }
  require_in_service();
  Turn turn = Turn::take(run_dir_, id_, Action::recover, deadline(Action::recover));
  Outcome outcome;
  try {
    require_in_service();  // a remove may have come before
    outcome = restarts ? restart(turn) : run(Action::recover, turn).outcome;
  } catch (const Error&) {
    std::move(turn).give_back([] {});
    throw;
  }
  std::move(turn).give_back([] {});
  return outcome;
}

Clock::duration ScriptSet::longest_quick_check() const {
  const auto left = began_ + config_.command(Action::quick_check).timeout - Clock::now();
  return std::max<Clock::duration>(left, Clock::duration::zero()) + kCheckSlack;
}

}  // namespace genapp::script
