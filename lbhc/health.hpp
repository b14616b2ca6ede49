#pragma once

// quickCheck's decision, apart from how its facts are found.

#include <optional>
#include <string>

#include "common/state.hpp"
#include "lbhc/config.hpp"

namespace genapp::lbhc {

struct Observation {
  common::State state = common::State::out_unimpaired;
  bool alive = false;
  bool flag_file = false;
  bool answered = false;        // the event loop answered on the control socket
  std::string why_silent;       // when it did not
  bool flag_in_status = false;  // the daemon says that no probe comes (its flag file may be lost)
  std::string no_probe_cause;   // why the flag is up, if known
  std::string answers_here;     // standby_check, out of service: what does answer, if anything
};

enum class Health {
  not_in_service,  // state other than ISP: nothing to check
  healthy,
  dead,      // no daemon holds the lock
  hung,      // it lives and does not answer
  no_probe,  // the flag is up
  unwanted,  // out of service, and something answers
};

struct Verdict {
  Health health = Health::healthy;
  std::string reason;
};

Verdict judge(const Observation& seen);

// 0 or 1 for quickCheck; on_no_probe decides about the flag alone, never about a dead or hung
// daemon.
bool is_failure(Health health, OnNoProbe on_no_probe);

}  // namespace genapp::lbhc
