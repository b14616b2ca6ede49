#include "lbhc/health.hpp"

namespace genapp::lbhc {

Verdict judge(const Observation& seen) {
  if (!common::in_service(seen.state) && !seen.answers_here.empty()) {
    return {Health::unwanted, "the state is " + std::string(common::state_text(seen.state)) +
                                  ", and " + seen.answers_here +
                                  ": the load balancer may send traffic to two nodes"};
  }
  if (seen.state != common::State::in_service_protected) {
    return {Health::not_in_service,
            "the state is " + std::string(common::state_text(seen.state)) + ", not ISP"};
  }
  if (!seen.alive) return {Health::dead, "the daemon is not running"};
  if (!seen.answered) return {Health::hung, "the daemon runs but " + seen.why_silent};
  if (seen.flag_file || seen.flag_in_status) {
    return {Health::no_probe, "no probe for HC_TIMEOUT: " + (seen.no_probe_cause.empty()
                                                                 ? std::string("the flag is up")
                                                                 : seen.no_probe_cause)};
  }
  return {Health::healthy, ""};
}

bool is_failure(Health health, OnNoProbe on_no_probe) {
  switch (health) {
    case Health::not_in_service:
    case Health::healthy:
      return false;
    case Health::dead:
    case Health::hung:
    case Health::unwanted:
      return true;
    case Health::no_probe:
      return on_no_probe == OnNoProbe::fail;
  }
  return true;
}

}  // namespace genapp::lbhc
