#pragma once

// What follows from a long-running monitor's verdicts (seed 001): restarts up to its count, then
// its failure action. Pure.

#include <cstddef>

#include "agent/config.hpp"
#include "common/clock.hpp"

namespace genapp::agent {

class MonitorPolicy {
 public:
  using Clock = common::Clock;

  enum class Decision {
    none,
    restart,
    notify,  // told to people, and nothing else; once, until it is healthy again
    fallover,
    recovered,  // healthy again after a notify
  };

  // The resource has come in service, or its monitoring begins.
  void in_service(Clock::time_point now);
  // `may_restart`: false for a resource that is faulted and online nevertheless, which nobody
  // starts: its failure action is taken at once.
  Decision saw(const MonitorConfig& config, bool healthy, bool may_restart, Clock::time_point now);
  // A person has cleared the fault, or looked after it.
  void forget();
  // What an earlier agent has known.
  void remember(std::size_t restarts, Clock::time_point in_service_since);

  std::size_t restarts() const { return restarts_; }
  Clock::time_point in_service_since() const { return since_; }
  bool failed() const { return failed_; }

 private:
  std::size_t restarts_ = 0;
  bool failed_ = false;
  Clock::time_point since_{};
};

}  // namespace genapp::agent
