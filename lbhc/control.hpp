#pragma once

// What lbhcd and restore's daemon are asked on their control socket, ID.sock
// (common/control_server.hpp).
//   "status\n"          -> the status line (lbhc/status.hpp)
//   "drain SECONDS\n"   -> the status line, phase "draining"; the daemon ends SECONDS later
//   "ignore SECONDS\n"  -> the status line; probes are answered as before but do not count for
//                          SECONDS, 10 at most; each such request sets the time anew, 0 ends it.
//                          Without effect unless the daemon serves
//   "check SECONDS\n"   -> the status line, and the daemon's lease (lbhc/lease.hpp) begins anew:
//                          SECONDS, 86400 at most, 0 for none. "error: ...\n" when it has run out
//   "own-probe PORT\n"  -> the status line; the next connection from this host and that port of
//                          its, within 5 s, is answered whatever `allow` says and does not count
//   anything else       -> "error: ...\n"

#include <functional>
#include <string>

#include "common/clock.hpp"
#include "common/control_server.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "lbhc/control_request.hpp"
#include "lbhc/status.hpp"

namespace genapp::lbhc {

class ControlServer {
 public:
  struct Handlers {
    std::function<std::string()> status;  // the status line
    std::function<void(common::Clock::duration)> drain;
    std::function<void(common::Clock::duration)> ignore;
    std::function<bool(common::Clock::duration)> check;  // false: the lease has run out
    std::function<void(std::uint16_t)> own_probe;
  };

  // Binds and listens; takes away a socket file left by a dead daemon: the caller holds the
  // resource's alive lock, so no other daemon can own it. Throws common::Error.
  ControlServer(boost::asio::io_context& io, const common::Directory& run_dir, const common::Id& id,
                Handlers handlers);

  void start() { server_.start(); }
  void stop() { server_.stop(); }

 private:
  common::ControlServer server_;
};

// Asks the daemon; blocks for `timeout` at most. Throws common::Error saying whether it could not
// connect, was not answered in time, or was answered with something else.
Status ask_status(const common::Directory& run_dir, const common::Id& id,
                  common::Clock::duration timeout);
Status ask_drain(const common::Directory& run_dir, const common::Id& id,
                 common::Clock::duration drain, common::Clock::duration timeout);
// For `genapp drill`; kMostIgnore at most.
Status ask_ignore(const common::Directory& run_dir, const common::Id& id,
                  common::Clock::duration ignore, common::Clock::duration timeout);
// What quickCheck and monitors ask; renews the lease. 0: it has none from now on.
Status ask_check(const common::Directory& run_dir, const common::Id& id,
                 common::Clock::duration lease, common::Clock::duration timeout);
// Before a probe of one's own, from `port`.
Status ask_own_probe(const common::Directory& run_dir, const common::Id& id, std::uint16_t port,
                     common::Clock::duration timeout);

}  // namespace genapp::lbhc
