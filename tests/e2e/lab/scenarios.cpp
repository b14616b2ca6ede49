#include "tests/e2e/lab/scenarios.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>

#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

void nothing(Lab&, const Lab::Name&) {}

void standby(Lab& lab, const Lab::Name& active) {
  lab.shell(active, "crm_standby -N " + active + " -v on");
}
void no_standby(Lab& lab, const Lab::Name& active) {
  lab.shell(active, "crm_standby -N " + active + " -D");
}

void app_ill(Lab& lab, const Lab::Name& active) { lab.make_app_ill(active); }
void app_killed(Lab& lab, const Lab::Name& active) { lab.signal_app(active, SIGKILL); }
void responder_killed(Lab& lab, const Lab::Name& active) { lab.signal_responder(active, SIGKILL); }
void responder_stopped(Lab& lab, const Lab::Name& active) { lab.signal_responder(active, SIGSTOP); }

// One that the cluster has not noticed.
void end_stopped(Lab& lab, const Lab::Name& active) { lab.end_responder_if_there(active); }

void power_off(Lab& lab, const Lab::Name& active) { lab.power_off(active); }
void boot(Lab& lab, const Lab::Name& active) { lab.boot(active); }

void link_cut(Lab& lab, const Lab::Name& active) {
  lab.set_link(active, Lab::Network::users, false);
  lab.set_link(active, Lab::Network::cluster, false);
}
// As people do who have no fencing: the one that was away comes back empty.
void reboot(Lab& lab, const Lab::Name& active) {
  lab.power_off(active);
  lab.boot(active);
}

void pacemaker_killed(Lab& lab, const Lab::Name& active) {
  lab.signal_pacemaker(active, SIGSTOP);  // so that none starts another again
  lab.signal_pacemaker(active, SIGKILL);
}
void managers_frozen(Lab& lab, const Lab::Name& active) {
  lab.signal_corosync(active, SIGSTOP);
  lab.signal_pacemaker(active, SIGSTOP);
}

// Longer than HC_TIMEOUT and two monitors after it.
void balancer_gone(Lab& lab, const Lab::Name& active) {
  lab.stop_balancer();
  ::poll(nullptr, 0, lab.timing().hc_timeout * 1000 + 2500);
  lab.shell(active, lab.responder().misses_probes);
  lab.start_balancer();
}

void split(Lab& lab, const Lab::Name& active) {
  lab.set_link(active, Lab::Network::cluster, false);
}
void join(Lab& lab, const Lab::Name& active) { lab.set_link(active, Lab::Network::cluster, true); }
// The fencing has switched the other one off.
void boot_other(Lab& lab, const Lab::Name& active) {
  join(lab, active);
  reboot(lab, other_than(active));
}

void noise(Lab& lab, const Lab::Name&) {
  lab.make_noise();
  ::poll(nullptr, 0, 5000);
}
// A responder that is stuck for good gets a new start.
void no_noise(Lab& lab, const Lab::Name& active) {
  lab.stop_noise();
  if (!lab.serves_alone(active, lab.now(), std::chrono::seconds(3))) {
    lab.end_responder_if_there(active);
  }
}

bool other_is_off(Lab& lab, const Lab::Name& active) { return lab.is_off(other_than(active)); }

Lab::Name wanted(Expect expect, const Lab::Name& active) {
  if (expect == Expect::n1) return "n1";
  return expect == Expect::moves ? other_than(active) : active;
}

}  // namespace

const Scenario kSilentConnections{"500 silent connections", noise, no_noise, Expect::stays};
const Scenario kSplitWithQuorum{"split, quorum", split, join, Expect::n1};
const Scenario kSplitWithFencing{"split, fencing", split, boot_other,
                                 Expect::stays,    false, other_is_off};
const Scenario kSplit{"split, neither", split, join, Expect::n1};

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> kAll{
      {"standby", standby, no_standby},
      {"monitor failure", app_ill, nothing},
      {"application killed", app_killed, nothing},
      {"responder killed", responder_killed, nothing},
      {"responder stopped", responder_stopped, end_stopped},
      {"load balancer gone", balancer_gone, nothing, Expect::stays},
      {"power off", power_off, boot},
      {"link cut", link_cut, reboot},
      {"Pacemaker killed", pacemaker_killed, reboot, Expect::moves, true},
      {"cluster manager frozen", managers_frozen, reboot, Expect::moves, true},
  };
  return kAll;
}

Outcome play(Lab& lab, const Scenario& scenario, std::chrono::milliseconds limit) {
  Outcome outcome;
  outcome.active = lab.serving();
  const Moment begin = outcome.begin = lab.now();
  scenario.strike(lab, outcome.active);
  const bool noticed =
      !scenario.noticed || wait_until([&] { return scenario.noticed(lab, outcome.active); }, limit);
  outcome.as_expected =
      noticed && lab.serves_alone(wanted(scenario.expect, outcome.active), begin, limit);
  const Timeline& timeline = lab.seen();
  outcome.errors = errors_since(timeline.of("users"), begin);
  outcome.overlap = overlap_until_now(lab, outcome);
  outcome.taken_over = first_good_since(timeline.of(other_than(outcome.active)), begin);
  outcome.silent = last_good_since(timeline.of(outcome.active), begin);
  for (Moment* moment : {&outcome.taken_over, &outcome.silent}) {
    *moment = std::max(Moment(0), *moment - begin);
  }
  return outcome;
}

Overlap overlap_until_now(Lab& lab, const Outcome& outcome) {
  const Timeline& timeline = lab.seen();
  Overlap overlap = overlap_since(timeline.of("n1"), timeline.of("n2"), outcome.begin);
  overlap.last = std::max(Moment(0), overlap.last - outcome.begin);
  return overlap;
}

bool move_to(Lab& lab, const Lab::Name& node) {
  const Lab::Name active = lab.serving();
  if (active == node) return true;
  standby(lab, active);
  const bool moved = lab.serves_alone(node, lab.now(), std::chrono::seconds(90));
  no_standby(lab, active);
  return moved && lab.ready_again();
}

std::string describe(const std::string& scenario, const Outcome& outcome) {
  const auto seconds = [](Moment moment) { return static_cast<double>(moment.count()) / 1e6; };
  char text[240];
  std::snprintf(text, sizeof text,
                "%-24s from %s %s: %5.2f s of errors, longest %5.2f s; silent after %5.2f s, "
                "the other answers after %5.2f s, both for %5.2f s",
                scenario.c_str(), outcome.active.c_str(),
                outcome.as_expected ? "as expected" : "NOT AS EXPECTED",
                seconds(outcome.errors.all), seconds(outcome.errors.longest),
                seconds(outcome.silent), seconds(outcome.taken_over),
                seconds(outcome.overlap.longest));
  return text;
}

}  // namespace genapp::tests
