#pragma once

// The startup monitors of a resource (seed 001, "Startup mode"): each asked once before a start, or
// asked again and again after it until it is healthy.

#include "agent/run/actions.hpp"
#include "agent/run/probe.hpp"
#include "agent/run/process_monitor.hpp"

namespace genapp::agent {

// As AskStartup (actions.hpp). Before: each has its stabilization interval to say that all is well;
// one that does not is the problem. After: each has it from now on; between two checks of one is
// its interval, 1 s at most. Without startup monitors: healthy after a start, and before it not, so
// that it is started. `tools` and `processes` outlive what is returned.
std::shared_ptr<void> ask_startup_monitors(const ProbeTools& tools, ProcessMonitors& processes,
                                           const ResourceConfig& resource, StartupWhen when,
                                           StartupDone done);

}  // namespace genapp::agent
