#pragma once

// A probe of one's own: a connection from this host to the port that is answered.

#include <cstdint>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/fd.hpp"

namespace genapp::lbhc {

class LocalConnection {
 public:
  // A socket with a port of its own that is not connected yet. `listen` and `port`: where the
  // daemon listens (common/listener.hpp). Throws common::Error.
  LocalConnection(const std::string& listen, std::uint16_t port);

  std::uint16_t source_port() const { return source_port_; }

  // Connects, sends `request` and returns what comes until the other side closes, 16 KiB at most.
  // Blocks until `deadline` at most. Throws common::Error that says what failed.
  std::string ask(std::string_view request, common::Clock::time_point deadline);

 private:
  std::string where_;
  common::Fd fd_;
  std::uint16_t source_port_ = 0;
  bool ipv6_ = false;
  std::string address_;
  std::uint16_t port_;
};

}  // namespace genapp::lbhc
