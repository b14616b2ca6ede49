#pragma once

// What load balancers do unless told otherwise, so that an HC_TIMEOUT that can't work is noticed
// before it fails over a healthy node.

#include <optional>
#include <string>
#include <string_view>

#include "common/clock.hpp"

namespace genapp::lbhc {

struct LbProfile {
  std::string_view name;
  int interval;   // seconds between probes: the longest that is a default
  int threshold;  // failed probes in a row before a node is taken out
};

// Nothing for an unknown name.
std::optional<LbProfile> find_lb_profile(std::string_view name);
// "azure, aws-nlb, …", for messages.
std::string lb_profile_names();

// A warning when HC_TIMEOUT is shorter than interval x threshold: the flag would come up, and the
// cluster fail over, before the load balancer itself gives the node up. Nothing otherwise.
std::optional<std::string> hc_timeout_warning(const LbProfile& profile,
                                              common::Clock::duration hc_timeout);

}  // namespace genapp::lbhc
