#pragma once

// A control socket: a UNIX stream socket on which a process's event loop answers. One request a
// connection, one line; the answer is one line too, then the connection is closed. Only the
// socket's owner and root can connect (mode 0600). A client that says nothing is closed after a
// second, and one that says too much is told so; neither is in another's way.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/directory.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::common {

class ControlServer {
 public:
  // From a request without its line feed to an answer with one. Called from the event loop; must
  // not block.
  using Answer = std::function<std::string(std::string_view line)>;

  // Binds and listens at NAME in `dir`; takes away a socket file left by a dead process: the caller
  // holds a lock, so no living one can own it. Throws Error. The event loop does not run any more
  // when the server goes.
  ControlServer(boost::asio::io_context& io, const Directory& dir, const std::string& name,
                Answer answer);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  void start();
  // Accepts no more; the file stays, for its owner to remove.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace genapp::common
