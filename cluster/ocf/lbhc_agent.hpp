#pragma once

#include <memory>

#include "cluster/ocf/agent.hpp"

namespace genapp::ocf {

std::unique_ptr<Agent> make_lbhc_agent(Surroundings surroundings);

// How long a lease must be so that the monitors renew it: each comes `interval` after the last
// one's end, which comes `timeout` after its beginning at the latest.
common::Clock::duration lease_for(const Call& call);

}  // namespace genapp::ocf
