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
  lost,           // its files in the run directory are gone: nobody could stop it any more
};

struct MonitorSetup {
  boost::asio::io_context& io;
  const Settings& settings;
  Identity& identity;
  Reporter& reporter;
  StartCheck start_check;
};

// Blocks until the monitor has ended; from then on TERM, INT and HUP are blocked in this thread,
// since what is left is the process's end. Throws common::Error when it can't start (control
// socket, metrics port).
End run_monitor(MonitorSetup setup);

}  // namespace genapp::monitor
