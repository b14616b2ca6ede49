#pragma once

// One connection to the appserver: a stranger until its certificate and its WebSocket hold, then a
// manager whose requests are done. It keeps itself alive while something of it is under way; all of
// it is in the event loop's thread.

#include <functional>
#include <memory>
#include <string>

#include "common/fd.hpp"
#include "remote/appserver/config.hpp"
#include "remote/appserver/sessions.hpp"
#include "remote/tls.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::remote {

class Connection {
 public:
  struct Setup {
    boost::asio::io_context& io;
    common::Fd socket;  // connected; does not block
    bool ipv6 = false;
    std::string from;  // the other end: "192.0.2.1:4711"
    TlsKeys& keys;
    const ServerConfig& config;
    Sessions& sessions;
    // It has shown who it is; false: there is no room for it.
    std::function<bool(Connection&)> known;
    std::function<void(Connection&)> gone;  // once
    // Its certificate is about to expire.
    std::function<void(const std::string& certificate, int days)> expires;
    // What was wrong with it, for the log.
    std::function<void(const std::string&)> trouble;
  };
  static std::shared_ptr<Connection> begin(Setup setup);
  virtual ~Connection() = default;

  // At once, without a word.
  virtual void drop() = 0;
  // With a word (RFC 6455: 1001, going away).
  virtual void close() = 0;
};

}  // namespace genapp::remote
