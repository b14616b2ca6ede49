#include "lbhc/daemon_user.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::error_of;

constexpr uid_t kUser = 961;
constexpr gid_t kGroup = 962;

// Root, a user genapp, and a run directory of its group's.
UserFacts roots() {
  return {.caller = 0,
          .wanted = "",
          .account = common::Account{{kUser, kGroup, {kGroup, 4}}, "genapp", "/", "/bin/false"},
          .run_dir = "/run/genapp",
          .dir_owner = 0,
          .dir_group = kGroup,
          .dir_mode = 0775};
}

bool changes(const UserFacts& facts) { return plan_user(facts).become.has_value(); }

TEST(PlanUser, RootsDaemonBecomesTheUserThatRootHasMade) {
  const UserPlan plan = plan_user(roots());
  ASSERT_TRUE(plan.become);
  EXPECT_EQ(plan.become->user, kUser);
  EXPECT_EQ(plan.become->group, kGroup);
  EXPECT_FALSE(plan.required);
  EXPECT_THAT(plan.warning, IsEmpty());
}

TEST(PlanUser, WithoutSuchAUserItStaysRoot) {
  UserFacts facts = roots();
  facts.account.reset();
  EXPECT_FALSE(changes(facts));
  EXPECT_THAT(plan_user(facts).warning, IsEmpty());
}

TEST(PlanUser, RootByNameStaysRoot) {
  UserFacts facts = roots();
  facts.wanted = "root";
  facts.account = common::Account{{0, 0, {0}}, "root", "/root", "/bin/sh"};
  facts.dir_mode = 0700;
  EXPECT_FALSE(changes(facts));
}

TEST(PlanUser, AnOrdinaryUserStaysWhoItIs) {
  UserFacts facts = roots();
  facts.caller = 1000;
  facts.account.reset();
  EXPECT_FALSE(changes(facts));
  facts.wanted = "genapp";
  facts.account = roots().account;
  facts.caller = kUser;
  EXPECT_FALSE(changes(facts));
}

TEST(PlanUser, AnOrdinaryUserCanNotBecomeAnother) {
  UserFacts facts = roots();
  facts.caller = 1000;
  facts.wanted = "genapp";
  EXPECT_THAT(error_of([&] { plan_user(facts); }),
              AllOf(HasSubstr("\"genapp\""), HasSubstr("only root can become")));
}

TEST(PlanUser, TheUserMustBeAbleToChangeTheRunDirectory) {
  struct Dir {
    uid_t owner;
    gid_t group;
    mode_t mode;
    bool enough;
  };
  for (const Dir& dir : {Dir{0, kGroup, 0770, true}, Dir{0, 4, 0770, true}, Dir{0, 0, 0755, false},
                         Dir{0, 0, 0770, false}, Dir{0, kGroup, 0755, false},
                         Dir{0, kGroup, 0760, false}, Dir{kUser, 0, 0700, true},
                         // The owner's bits are the owner's, whatever the group may.
                         Dir{kUser, kGroup, 0570, false}}) {
    UserFacts facts = roots();
    facts.dir_owner = dir.owner;
    facts.dir_group = dir.group;
    facts.dir_mode = dir.mode;
    EXPECT_EQ(changes(facts), dir.enough) << dir.owner << " " << dir.group << " " << dir.mode;
  }
}

// A fail-over must not fail for it, unless it was asked for.
TEST(PlanUser, ADirectoryThatItCanNotChangeIsAWarningOrAnError) {
  UserFacts facts = roots();
  facts.dir_group = 0;
  facts.dir_mode = 0755;
  EXPECT_THAT(plan_user(facts).warning,
              AllOf(HasSubstr("staying root"), HasSubstr("/run/genapp"), HasSubstr("chgrp 962")));
  facts.wanted = "genapp";
  EXPECT_THAT(
      error_of([&] { plan_user(facts); }),
      AllOf(HasSubstr("/run/genapp"), HasSubstr("chmod 0775"), HasSubstr("user = \"root\"")));
}

}  // namespace
}  // namespace genapp::lbhc
