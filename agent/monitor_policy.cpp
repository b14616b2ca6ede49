#include "agent/monitor_policy.hpp"

namespace genapp::agent {

void MonitorPolicy::in_service(Clock::time_point now) {
  since_ = now;
  failed_ = false;
}

MonitorPolicy::Decision MonitorPolicy::saw(const MonitorConfig& config, bool healthy,
                                           bool may_restart, Clock::time_point now) {
  if (healthy) {
    const bool again = failed_;
    failed_ = false;
    return again ? Decision::recovered : Decision::none;
  }
  if (failed_) return Decision::none;
  if (now - since_ >= config.restart_interval) restarts_ = 0;
  if (may_restart && restarts_ < config.restart_count) {
    ++restarts_;
    return Decision::restart;
  }
  failed_ = true;
  return config.failure_action == FailureAction::notify ? Decision::notify : Decision::fallover;
}

void MonitorPolicy::forget() {
  restarts_ = 0;
  failed_ = false;
}

void MonitorPolicy::remember(std::size_t restarts, Clock::time_point in_service_since) {
  restarts_ = restarts;
  since_ = in_service_since;
}

}  // namespace genapp::agent
