#pragma once

// The verbs that speak of a monitor which runs, or has run: --stop, --pause, --resume, --disp,
// --del,
// --list. Each prints what a person wants to know on standard output, and throws common::Error when
// it could not be done.

#include "common/clock.hpp"
#include "common/exit_code.hpp"
#include "monitor/events.hpp"
#include "monitor/monitor_id.hpp"

namespace genapp::monitor {

// Ends it in order; after `wait` by force, which is told as event 15. Blocks until it is gone.
// Done, too, when none runs. Throws when it is a monitor of the other command, or can't be ended.
common::ExitCode stop_monitor(Protocol protocol, const MonitorId& id, common::Clock::duration wait);

common::ExitCode pause_monitor(Protocol protocol, const MonitorId& id);
common::ExitCode resume_monitor(Protocol protocol, const MonitorId& id);

common::ExitCode display_monitor(const MonitorId& id, bool json);
common::ExitCode delete_monitor(const MonitorId& id);
common::ExitCode list_monitors(bool json);

}  // namespace genapp::monitor
