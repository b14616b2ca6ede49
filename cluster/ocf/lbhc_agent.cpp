#include "cluster/ocf/lbhc_agent.hpp"

#include "cluster/registry.hpp"
#include "common/directory.hpp"
#include "common/log.hpp"
#include "common/pid_file.hpp"
#include "lbhc/control.hpp"
#include "lbhc/health_check.hpp"
#include "lbhc/stop.hpp"

namespace genapp::ocf {
namespace {

namespace log = common::log;
using common::Clock;
using common::Directory;
using common::Error;

constexpr auto kControlTime = std::chrono::seconds(3);
// Pacemaker's own when an operation has none.
constexpr auto kUsualTimeout = std::chrono::seconds(20);

class LbhcAgent : public Agent {
 public:
  explicit LbhcAgent(Surroundings about) : about_(std::move(about)) {}

  Answer start() override {
    read_config();
    const Directory run_dir = common::make_run_dir();
    cluster::StateFile states(run_dir, about_.call.id);
    return answer_of(health_check(run_dir, states).restore());
  }

  // Whatever the parameters are by now: what runs can be told from its name.
  Answer stop() override {
    const auto run_dir = common::open_run_dir_if_there();
    if (!run_dir) return {Code::success, "it was never started here"};
    cluster::StateFile states(*run_dir, about_.call.id);
    try {
      read_config();
    } catch (const Error& problem) {
      log::warn(std::string(problem.what()) + "; stopping it without a drain");
      config_.drain = Clock::duration::zero();
    }
    return answer_of(lbhc::remove_by_id(*run_dir, states, about_.call.id, config_.drain));
  }

  Answer monitor() override {
    read_config();
    const bool standby = config_.standby_check && is_recurring();
    const auto run_dir = standby ? common::make_run_dir() : common::open_run_dir_if_there();
    if (!run_dir) return {Code::not_running, ""};
    cluster::StateFile states(*run_dir, about_.call.id);
    const lbhc::HealthCheck check = health_check(*run_dir, states);
    const lbhc::Verdict verdict = check.look(lease(), standby);
    if (verdict.health == lbhc::Health::healthy && about_.call.check_level >= kDeepCheck) {
      check.probe_itself();
    }
    return judged(verdict, *run_dir);
  }

  Answer validate() override {
    read_config();
    return {};
  }

  // The rest is the monitor's and stop's business, which read their parameters themselves.
  Answer reload() override {
    read_config();
    const auto run_dir = common::open_run_dir_if_there();
    if (run_dir && !lease_from_monitor_ && common::is_alive(*run_dir, about_.call.id)) {
      lbhc::ask_check(*run_dir, about_.call.id, config_.lease, kControlTime);
    }
    return {};
  }

 private:
  bool is_recurring() const { return about_.call.interval > Clock::duration::zero(); }

  void read_config() {
    const common::TomlFile* settings = about_.settings.file ? &*about_.settings.file : nullptr;
    const Description description = read_parameters(Kind::lbhc, about_.environment, settings);
    try {
      config_ = lbhc::read_config(settings, description.file, description.info);
    } catch (const Error& problem) {
      throw Refusal(Code::configured, problem.what());
    }
    // OCF's start succeeds for what runs.
    config_.already_running = lbhc::AlreadyRunning::ok;
    lease_from_monitor_ = description.lease_from_monitor;
    if (lease_from_monitor_) config_.lease = Clock::duration::zero();
  }

  lbhc::HealthCheck health_check(const Directory& run_dir, common::StateStore& states) const {
    return {run_dir,
            states,
            about_.call.tag,
            about_.call.id,
            config_,
            {about_.settings.log_file, about_.settings.log_level},
            about_.settings.user};
  }

  // A probe is no promise that another will follow, so it changes nothing.
  std::optional<Clock::duration> lease() const {
    if (!lease_from_monitor_) return config_.lease;
    if (!is_recurring()) return std::nullopt;
    return lease_for(about_.call);
  }

  Answer judged(const lbhc::Verdict& verdict, const Directory& run_dir) const {
    switch (verdict.health) {
      case lbhc::Health::healthy:
        return {};
      case lbhc::Health::not_in_service:
        // Not what a start leaves behind, so somebody has put the state away; a stop ends it.
        if (common::is_alive(run_dir, about_.call.id)) {
          return {Code::generic, verdict.reason + ", and its daemon lives: stop it"};
        }
        return {Code::not_running, ""};
      // The port died with it.
      case lbhc::Health::dead:
        return {Code::not_running, verdict.reason};
      case lbhc::Health::no_probe:
        if (lbhc::is_failure(verdict.health, config_.on_no_probe)) break;
        return {Code::success, config_.on_no_probe == lbhc::OnNoProbe::warn ? verdict.reason : ""};
      case lbhc::Health::hung:
      case lbhc::Health::unwanted:
        break;
    }
    return {Code::generic, verdict.reason};
  }

  Surroundings about_;
  lbhc::Config config_;
  bool lease_from_monitor_ = false;
};

}  // namespace

Clock::duration lease_for(const Call& call) {
  const bool told = call.timeout > Clock::duration::zero();
  return call.interval + (told ? call.timeout : Clock::duration(kUsualTimeout));
}

std::unique_ptr<Agent> make_lbhc_agent(Surroundings surroundings) {
  return std::make_unique<LbhcAgent>(std::move(surroundings));
}

}  // namespace genapp::ocf
