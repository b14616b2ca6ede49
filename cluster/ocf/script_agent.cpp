#include "cluster/ocf/script_agent.hpp"

#include <errno.h>
#include <unistd.h>

#include <algorithm>

#include "action/run_time_limit.hpp"
#include "cluster/registry.hpp"
#include "common/directory.hpp"
#include "script/config.hpp"
#include "script/script_set.hpp"
#include "script/turn.hpp"

namespace genapp::ocf {
namespace {

using common::Clock;
using common::Directory;
using common::Error;
using common::ExitCode;
using common::State;

class ScriptAgent : public Agent {
 public:
  explicit ScriptAgent(Surroundings about) : about_(std::move(about)) {}

  Answer start() override {
    read_config(script::Action::restore);
    require_installed();
    const Directory run_dir = common::make_run_dir();
    cluster::StateFile states(run_dir, about_.call.id);
    script::ScriptSet scripts = script_set(run_dir, states);
    // OCF's start succeeds for what runs, and starts nothing twice.
    if (common::in_service(states.read()) && scripts.quick_check().exit_code == ExitCode::ok) {
      return {Code::success, "it runs already"};
    }
    return answer_of(scripts.restore());
  }

  Answer stop() override {
    const auto run_dir = common::open_run_dir_if_there();
    if (!run_dir) return {Code::success, "it was never started here"};
    cluster::StateFile states(*run_dir, about_.call.id);
    // The scripts may be on a disk that only the active node has.
    if (states.read() == State::out_unimpaired && !script::has_trace(*run_dir, about_.call.id)) {
      return {Code::success, "it was not started here"};
    }
    read_config(script::Action::remove);
    return answer_of(script_set(*run_dir, states).remove());
  }

  Answer monitor() override {
    const auto run_dir = common::open_run_dir_if_there();
    if (!run_dir) return {Code::not_running, ""};
    cluster::StateFile states(*run_dir, about_.call.id);
    const State state = states.read();
    if (state == State::out_unimpaired) return {Code::not_running, ""};
    if (state == State::out_failed) {
      return {Code::generic, "its start failed, and what it left was not stopped since"};
    }
    read_config(script::Action::quick_check);
    script::ScriptSet scripts = script_set(*run_dir, states);
    action::limit_quick_check(scripts.longest_quick_check());
    return answer_of(scripts.quick_check());
  }

  Answer validate() override {
    read_config(script::Action::restore);
    if (about_.call.check_level >= kDeepCheck) require_installed();
    return {};
  }

  Answer reload() override { return validate(); }

 private:
  void read_config(script::Action action) {
    const common::TomlFile* settings = about_.settings.file ? &*about_.settings.file : nullptr;
    const Description description = read_parameters(Kind::script, about_.environment, settings);
    info_ = description.info;
    try {
      config_ = script::read_config(settings, description.file);
    } catch (const Error& problem) {
      throw Refusal(Code::configured, problem.what());
    }
    const std::string key = std::string(script::row_of(action).key) + "_timeout";
    const bool given =
        description.file.find("script", key) || (settings && settings->find("script", key));
    if (!given && about_.call.timeout > Clock::duration::zero()) {
      config_.commands.at(static_cast<std::size_t>(action)).timeout =
          script_time(about_.call.timeout, config_.kill_after);
    }
  }

  // Before anything is started, so that another node can be tried at once.
  void require_installed() const {
    for (const script::Action action :
         {script::Action::restore, script::Action::remove, script::Action::quick_check}) {
      const auto& argv = config_.command(action).argv;
      if (argv.empty() || ::access(argv.front().c_str(), X_OK) == 0) continue;
      throw Refusal(Code::installed, common::system_error(argv.front(), errno).what());
    }
  }

  script::ScriptSet script_set(const Directory& run_dir, common::StateStore& states) const {
    return {run_dir,
            states,
            about_.call.tag,
            about_.call.id,
            info_,
            config_,
            {about_.settings.log_file, about_.settings.log_level},
            began_};
  }

  Surroundings about_;
  Clock::time_point began_ = Clock::now();
  std::string info_;
  script::Config config_;
};

}  // namespace

Clock::duration script_time(Clock::duration timeout, Clock::duration kill_after) {
  return std::max(timeout / 2, timeout - kill_after - std::chrono::seconds(1));
}

std::unique_ptr<Agent> make_script_agent(Surroundings surroundings) {
  return std::make_unique<ScriptAgent>(std::move(surroundings));
}

}  // namespace genapp::ocf
