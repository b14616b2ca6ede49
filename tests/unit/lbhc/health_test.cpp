#include "lbhc/health.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::lbhc {
namespace {

using common::State;

// quickCheck's rules (DESIGN), written down a second time, in the order of precedence.
Health expected(const Observation& seen) {
  if (seen.state != State::in_service_protected) return Health::not_in_service;
  if (!seen.alive) return Health::dead;
  if (!seen.answered) return Health::hung;
  return seen.flag_file || seen.flag_in_status ? Health::no_probe : Health::healthy;
}

TEST(Judge, FollowsTheRulesInEveryCombination) {
  for (const State state : {State::in_service_protected, State::in_service_unprotected,
                            State::out_unimpaired, State::out_failed}) {
    for (int bits = 0; bits < 16; ++bits) {
      Observation seen;
      seen.state = state;
      seen.alive = bits & 1;
      seen.answered = bits & 2;
      seen.flag_file = bits & 4;
      seen.flag_in_status = bits & 8;
      seen.why_silent = "it did not answer";
      const Verdict verdict = judge(seen);
      EXPECT_EQ(verdict.health, expected(seen)) << common::state_text(state) << ' ' << bits;
      EXPECT_EQ(verdict.reason.empty(), verdict.health == Health::healthy);
    }
  }
}

// standby_check.
TEST(Judge, OutOfServiceNothingMayAnswer) {
  for (const State state : {State::out_unimpaired, State::out_failed}) {
    Observation seen;
    seen.state = state;
    seen.answers_here = "port 54321 is open (0.0.0.0)";
    const Verdict verdict = judge(seen);
    EXPECT_EQ(verdict.health, Health::unwanted);
    EXPECT_THAT(verdict.reason, testing::HasSubstr("port 54321 is open (0.0.0.0)"));
    for (const auto rule : {OnNoProbe::fail, OnNoProbe::warn, OnNoProbe::ignore}) {
      EXPECT_TRUE(is_failure(verdict.health, rule));
    }
  }
  // Somebody has told quickCheck to look away.
  Observation unprotected;
  unprotected.state = State::in_service_unprotected;
  unprotected.answers_here = "port 54321 is open (0.0.0.0)";
  EXPECT_EQ(judge(unprotected).health, Health::not_in_service);
}

Observation serving() {
  Observation seen;
  seen.state = State::in_service_protected;
  seen.alive = seen.answered = true;
  return seen;
}

TEST(Judge, TellsTheCause) {
  Observation seen = serving();
  seen.flag_file = true;
  EXPECT_THAT(judge(seen).reason, testing::HasSubstr("the flag is up"));
  seen.no_probe_cause = "never probed";
  EXPECT_THAT(judge(seen).reason, testing::HasSubstr("never probed"));
  seen.answered = false;
  seen.why_silent = "did not answer in time";
  EXPECT_THAT(judge(seen).reason, testing::HasSubstr("did not answer in time"));
  seen.state = State::in_service_unprotected;
  EXPECT_THAT(judge(seen).reason, testing::HasSubstr("ISU"));
}

TEST(IsFailure, OnNoProbeDecidesAboutTheFlagAlone) {
  for (const auto rule : {OnNoProbe::fail, OnNoProbe::warn, OnNoProbe::ignore}) {
    EXPECT_FALSE(is_failure(Health::healthy, rule));
    EXPECT_FALSE(is_failure(Health::not_in_service, rule));
    EXPECT_TRUE(is_failure(Health::dead, rule));
    EXPECT_TRUE(is_failure(Health::hung, rule));
    EXPECT_EQ(is_failure(Health::no_probe, rule), rule == OnNoProbe::fail);
  }
}

}  // namespace
}  // namespace genapp::lbhc
