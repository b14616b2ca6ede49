#pragma once

// What the agent shows, for Prometheus's scrape of /metrics. Pure.

#include <array>
#include <cstdint>
#include <string>

#include "agent/status_json.hpp"
#include "agent/view.hpp"

namespace genapp::agent {

// By severity: info, warning, error; since the agent was started.
using NoticeCounts = std::array<std::uint64_t, 3>;

std::string metrics_text(const View& view, const AgentInfo& agent, const ClockPair& now,
                         const NoticeCounts& notices);

}  // namespace genapp::agent
