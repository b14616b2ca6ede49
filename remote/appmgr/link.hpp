#pragma once

// One attempt to reach the appserver, and the connection that comes of it: name, TCP to each of its
// addresses in turn, TLS, WebSocket, the server's hello. It keeps itself alive while something of
// it is under way; all of it is in the event loop's thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "remote/appmgr/course.hpp"
#include "remote/message.hpp"
#include "remote/tls.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::remote {

class Link {
 public:
  struct Setup {
    boost::asio::io_context& io;
    std::string host;  // a name, or an address without brackets
    std::uint16_t port = kPort;
    std::string server_name;
    std::shared_ptr<TlsContext> tls;
    common::Clock::duration time;  // for the attempt: every address gets its part
    // Each is called in the event loop; after over(), or after drop(), none is.
    std::function<void(const Hello&)> opened;
    std::function<void(const Answer&)> answered;
    std::function<void(const OutputChunk&)> output;
    std::function<void()> heard;               // bytes of any kind, also of what is not whole yet
    std::function<void(const Trouble&)> over;  // once
    std::function<void(const std::string&)> warn;
  };
  static std::shared_ptr<Link> begin(Setup setup);
  virtual ~Link() = default;

  virtual void send(std::string text) = 0;
  virtual void ping() = 0;
  // At once and without a word; what is not sent yet never will be.
  virtual void drop() = 0;
  // Says that we go. Nothing is waited for.
  virtual void leave() = 0;
};

}  // namespace genapp::remote
