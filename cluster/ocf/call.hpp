#pragma once

// What the cluster manager says of this one call besides the parameters (OCF resource agent
// API 1.1, and Pacemaker's CRM_meta variables).

#include "cluster/ocf/parameters.hpp"
#include "common/clock.hpp"
#include "common/identifier.hpp"

namespace genapp::ocf {

enum class Action { start, stop, monitor, validate, metadata, reload };

struct Call {
  common::Tag tag;  // OCF_RESOURCE_INSTANCE, both
  common::Id id;
  common::Clock::duration interval{};  // of a recurring monitor; 0: a probe, or called by hand
  common::Clock::duration timeout{};   // of the operation; 0: not told
  int check_level = 0;                 // OCF_CHECK_LEVEL
};

// Throws Refusal: unimplemented, with the actions that there are.
Action parse_action(std::string_view word);

// Throws Refusal (arguments) when the instance's name is missing or cannot name files, or a number
// is none.
Call read_call(const Environment& environment);

}  // namespace genapp::ocf
