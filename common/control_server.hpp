#pragma once

// A control socket: a UNIX stream socket on which a process's event loop answers. One request a
// connection, one line; the answer is one line too. Only the socket's owner and root can connect
// (mode 0600). For the rest see common/request_server.hpp.

#include <string>

#include "common/directory.hpp"
#include "common/request_server.hpp"

namespace genapp::common {

class ControlServer {
 public:
  // From a request without its line feed to an answer with one. Called from the event loop; must
  // not block.
  using Answer = RequestServer::Answer;

  // Binds and listens at NAME in `dir`; takes away a socket file left by a dead process: the caller
  // holds a lock, so no living one can own it. Throws Error. The event loop does not run any more
  // when the server goes.
  ControlServer(boost::asio::io_context& io, const Directory& dir, const std::string& name,
                Answer answer);

  void start() { server_.start(); }
  // Accepts no more; the file stays, for its owner to remove.
  void stop() { server_.stop(); }

 private:
  RequestServer server_;
};

}  // namespace genapp::common
