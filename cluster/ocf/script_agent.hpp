#pragma once

#include <memory>

#include "cluster/ocf/agent.hpp"

namespace genapp::ocf {

std::unique_ptr<Agent> make_script_agent(Surroundings surroundings);

// How long a script may take so that it is ended in order before the cluster manager, whose limit
// is `timeout`, ends this agent: `kill_after` and a second less, half of it at least.
common::Clock::duration script_time(common::Clock::duration timeout,
                                    common::Clock::duration kill_after);

}  // namespace genapp::ocf
