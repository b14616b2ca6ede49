#pragma once

// A process's own small questions: one request a connection, one answer, then the connection is
// closed. What the control socket and a monitor's metrics have in common. A client that says
// nothing is closed after a second, and one that says too much is told so; neither is in another's
// way.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/fd.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::common {

class RequestServer {
 public:
  struct Form {
    std::string_view end;  // what a request ends with
    std::size_t most_bytes = 0;
    std::string_view too_long;  // the answer to more than that; may be empty
  };
  // From a request without its end to an answer. One that does not fit a fresh socket's buffer,
  // some 200 KiB, is written on as the client takes it: for 10 s at most, and for 3 s in which it
  // takes nothing. Called from the event loop; must not block.
  using Answer = std::function<std::string(std::string_view request)>;

  // `listener` listens and does not block. The event loop does not run any more when the server
  // goes.
  RequestServer(boost::asio::io_context& io, Fd listener, const Form& form, Answer answer);
  ~RequestServer();
  RequestServer(const RequestServer&) = delete;
  RequestServer& operator=(const RequestServer&) = delete;

  void start();
  void stop();  // accepts no more

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace genapp::common
