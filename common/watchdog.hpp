#pragma once

// Tells systemd's watchdog (sd_watchdog_enabled(3), systemd.service(5): WatchdogSec=) that the
// event loop runs. One that hangs does not, and is killed and started again.

#include <memory>
#include <optional>

#include "common/clock.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::common {

// WATCHDOG_USEC, the time within which systemd wants to hear; nothing when it is not there, is no
// such time, or WATCHDOG_PID says that another process is meant.
std::optional<Clock::duration> watchdog_time();

class Watchdog {
 public:
  // Pings by notify_systemd(), at once and then at half of `time`, above 0, while the event
  // loop runs. The event loop does not run any more when the watchdog goes.
  Watchdog(boost::asio::io_context& io, Clock::duration time);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // No more pings, so that the event loop can run out of work.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace genapp::common
