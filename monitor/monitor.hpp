#pragma once

// A monitor at work: starts the checks when they are due, has their results judged, tells of what
// happens, answers on the control socket, and ends when the server is judged failed or it is told
// to. One event loop, in which nothing waits for a server, a name server, a file or a reader.

#include <functional>
#include <memory>

#include "common/clock.hpp"
#include "monitor/check.hpp"
#include "monitor/settings.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::monitor {

class Identity;
class Reporter;

// Starts one check (http_check.hpp, smtp_check.hpp).
using StartCheck = std::function<std::unique_ptr<Check>(CheckDone)>;

enum class End {
  stopped,        // TERM, INT or HUP
  server_failed,  // event 6
  blind,          // it had no socket for its checks, as often as a server may fail
  lost,           // its files in the run directory are gone: nobody could stop it any more
};

struct MonitorSetup {
  boost::asio::io_context& io;
  const Settings& settings;
  Identity& identity;
  Reporter& reporter;
  StartCheck start_check;
};

// Blocks TERM, INT and HUP in this thread until run_monitor() listens for them: from before there
// are files that an end by signal would leave.
void hold_ending_signals();

// Blocks until the monitor has ended; from then on the signals are held again, since what is left
// is the process's end: two may stop it at once. Throws common::Error when it can't start (control
// socket, metrics port).
End run_monitor(MonitorSetup setup);

}  // namespace genapp::monitor
