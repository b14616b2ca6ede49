#pragma once

// Names to addresses, without ever holding the event loop up: getaddrinfo blocks for as long as a
// name server is silent, so each name that is asked for gets a thread of its own, one at most. No
// program of genapp's has another thread.

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace genapp::monitor {

// An address as it is given to socket(2), in text: "127.0.0.1", "::1", "fe80::1%eth0".
struct Addresses {
  std::vector<std::string> list{};
  int error = 0;         // an errno; 0 when getaddrinfo had none
  std::string reason{};  // why the list is empty
};

class Resolver {
 public:
  using Done = std::function<void(const Addresses&)>;

  explicit Resolver(boost::asio::io_context& io);
  // Does not wait for a look-up that hangs: its thread ends by itself, and touches nothing of ours.
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // `done` is called once, from the event loop, unless the returned handle is dropped first. While
  // a look-up of the same name is under way its result is waited for: a name server that is silent
  // costs one thread, not one a check. Numeric addresses (also in brackets) and localhost, which is
  // loopback without asking anybody (RFC 6761, 6.3), need no thread.
  std::shared_ptr<void> look_up(const std::string& host, Done done);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace genapp::monitor
