#include "lbhc/lb_profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(LbProfile, KnowsTheDocumentedBalancers) {
  for (const char* name : {"azure", "aws-nlb", "gcp", "oci", "haproxy"}) {
    const auto profile = find_lb_profile(name);
    ASSERT_TRUE(profile) << name;
    EXPECT_EQ(profile->name, name);
    EXPECT_GT(profile->interval, 0);
    EXPECT_GE(profile->threshold, 2);
    EXPECT_THAT(lb_profile_names(), HasSubstr(name));
  }
}

TEST(LbProfile, KnowsNoOther) {
  for (const char* name : {"", "Azure", "aws", "azure ", "f5"}) EXPECT_FALSE(find_lb_profile(name));
}

// facts/probes.md: intervals and thresholds as the clouds document them.
TEST(LbProfile, HasTheBalancersDefaults) {
  EXPECT_EQ(find_lb_profile("aws-nlb")->interval, 30);
  EXPECT_EQ(find_lb_profile("gcp")->interval, 5);
  EXPECT_EQ(find_lb_profile("oci")->interval * find_lb_profile("oci")->threshold, 30);
  EXPECT_EQ(find_lb_profile("haproxy")->interval * find_lb_profile("haproxy")->threshold, 6);
}

TEST(HcTimeoutWarning, ComesOnlyBelowIntervalTimesThreshold) {
  const LbProfile profile{"gcp", 5, 2};
  EXPECT_FALSE(hc_timeout_warning(profile, 10s));
  EXPECT_FALSE(hc_timeout_warning(profile, 30s));
  const auto warning = hc_timeout_warning(profile, 9999ms);
  ASSERT_TRUE(warning);
  EXPECT_THAT(*warning, testing::AllOf(HasSubstr("9.999 s"), HasSubstr("gcp"), HasSubstr("5 s x 2"),
                                       HasSubstr("10 or more")));
}

}  // namespace
}  // namespace genapp::lbhc
