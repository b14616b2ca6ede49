// genapp's OCF agent in a real Pacemaker cluster behind a real load balancer: whatever happens, the
// users are served again, by one node. A port scan and 500 silent connections go on all the time.

#include <gtest/gtest.h>

#include <iostream>

#include "tests/e2e/lab/responders.hpp"
#include "tests/e2e/lab/scenarios.hpp"

namespace genapp::tests {
namespace {

const Timing kTiming;
// The agent takes it from its monitor: interval and timeout. Then the daemon has to end, for which
// a loaded machine may take a moment.
const Moment kLease = std::chrono::seconds(1 + kTiming.monitor_timeout);
const Moment kEnd = std::chrono::seconds(1);

Outcome play_and_print(Lab& lab, const Scenario& scenario) {
  const Outcome outcome = play(lab, scenario);
  std::cout << describe(scenario.name, outcome) << std::endl;
  EXPECT_TRUE(outcome.as_expected) << lab.logs();
  if (scenario.expect == Expect::stays) {
    EXPECT_EQ(outcome.taken_over.count(), 0);
  }
  return outcome;
}

// Two nodes that answer at once are the worst of all failures; not while a fault is mended either.
void expect_never_two(Lab& lab, const Scenario& scenario, const Outcome& outcome) {
  const Overlap overlap = overlap_until_now(lab, outcome);
  if (!scenario.until_lease) {
    EXPECT_EQ(overlap.longest.count(), 0);
    return;
  }
  EXPECT_LE(overlap.last.count(), (kLease + kEnd).count());
  EXPECT_LE(outcome.silent.count(), (kLease + kEnd).count());
}

// One boot of the lab costs as much as three faults, so all are played in one.
TEST(Cluster, ServesOnOneNodeAgainAfterEveryFault) {
  Lab lab(genapp_lbhc(kTiming), kTiming);
  lab.make_noise();
  for (const Scenario& scenario : scenarios()) {
    SCOPED_TRACE(scenario.name);
    const Outcome outcome = play_and_print(lab, scenario);
    scenario.mend(lab, outcome.active);
    ASSERT_TRUE(lab.ready_again()) << lab.logs();
    expect_never_two(lab, scenario, outcome);
  }

  // Without fencing a split takes both sides a moment to notice, so only how it ends is certain.
  lab.use_quorum();
  ASSERT_TRUE(move_to(lab, "n2")) << lab.logs();
  const Outcome split = play_and_print(lab, kSplitWithQuorum);
  kSplitWithQuorum.mend(lab, split.active);
  ASSERT_TRUE(lab.ready_again()) << lab.logs();

  lab.use_fencing();
  expect_never_two(lab, kSplitWithFencing, play_and_print(lab, kSplitWithFencing));
}

}  // namespace
}  // namespace genapp::tests
