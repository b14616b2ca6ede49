#include "lbhc/lb_profile.hpp"

#include <array>

namespace genapp::lbhc {
namespace {

// The balancers' documented defaults; docs/lbhc.md has a section on each.
constexpr std::array kProfiles{
    LbProfile{"azure", 15, 2},    // interval 5 to 15 s, two failures
    LbProfile{"aws-nlb", 30, 2},  // 30 s (5 to 300), unhealthy threshold 2
    LbProfile{"gcp", 5, 2},       // 5 s, unhealthy threshold 2
    LbProfile{"oci", 10, 3},      // 10 s, 3 retries
    LbProfile{"haproxy", 2, 3},   // inter 2s, fall 3
};

}  // namespace

std::optional<LbProfile> find_lb_profile(std::string_view name) {
  for (const LbProfile& profile : kProfiles) {
    if (profile.name == name) return profile;
  }
  return std::nullopt;
}

std::string lb_profile_names() {
  std::string names;
  for (const LbProfile& profile : kProfiles) {
    if (!names.empty()) names += ", ";
    names += profile.name;
  }
  return names;
}

std::optional<std::string> hc_timeout_warning(const LbProfile& profile,
                                              common::Clock::duration hc_timeout) {
  const auto least = std::chrono::seconds(profile.interval * profile.threshold);
  if (hc_timeout >= least) return std::nullopt;
  return "HC_TIMEOUT is " + common::seconds_text(hc_timeout) + " s, shorter than " +
         std::string(profile.name) + "'s probe interval x threshold (" +
         std::to_string(profile.interval) + " s x " + std::to_string(profile.threshold) +
         "): a healthy node may be failed over between two probes; set hc_timeout to " +
         std::to_string(least.count()) + " or more";
}

}  // namespace genapp::lbhc
