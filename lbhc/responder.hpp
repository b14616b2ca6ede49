#pragma once

// Answers probes: the accept loop and the connections. One thread, Asio's.
//
// Each connection gets its reply, is half-closed, and what its prober still sends is read and
// thrown away, bounded in bytes and time, so that it ends with a FIN: Azure counts a reset as a
// failed probe. Nothing a prober does or leaves undone blocks another one: when connections run
// out (or descriptors do), the oldest is closed in favour of the new one.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/clock.hpp"
#include "common/fd.hpp"
#include "lbhc/address.hpp"
#include "lbhc/config.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::lbhc {

// Since the daemon's start.
struct Counters {
  std::uint64_t answered = 0;     // the whole reply was handed to the kernel
  std::uint64_t undelivered = 0;  // the prober was gone, or sent no request in time, or a bad one
  std::uint64_t others = 0;       // connections from sources that `allow` does not name
  std::uint64_t open = 0;         // connections now
};

struct ResponderLimits {
  std::size_t connections = 4096;
  std::size_t discarded_bytes = 64 * 1024;  // read and thrown away after the reply
  common::Clock::duration request_time = std::chrono::seconds(5);  // for an HTTP request to come
  // For the prober to close, and up to 250 ms more.
  common::Clock::duration linger_time = std::chrono::seconds(2);
};

class Responder {
 public:
  // Takes the listening socket. `on_probe` is called for each connection from an allowed source,
  // once it is accepted and before it is answered. `may_answer` is asked before a connection counts
  // and before it is answered; where it says no, the connection is reset. Nothing happens before
  // start().
  Responder(
      boost::asio::io_context& io, common::Fd listener, const Config& config,
      ResponderLimits limits, std::function<void(const Address&)> on_probe,
      std::function<bool()> may_answer = [] { return true; });
  ~Responder();
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  void start();

  // Accepts what is waiting now: after a stop of the whole process (SIGSTOP, a frozen virtual
  // machine) the probes that came meanwhile count before the clock is read.
  void accept_waiting();

  // The next connection from this host and `port` of its, within 5 s, is a check of our own: it is
  // answered, and on_probe does not hear of it.
  void expect_own_probe(std::uint16_t port);

  // Probes are told that this node goes: tcp closes the port (a tcp probe has no other language),
  // http answers 503, haproxy-agent "drain".
  void drain();

  // Closes the port and every connection.
  void stop();

  const Counters& counters() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace genapp::lbhc
