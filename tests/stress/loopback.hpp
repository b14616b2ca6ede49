#pragma once

// Connections to 127.0.0.1 from a source address of one's choice, so that the daemon can tell a
// load balancer from the rest.

#include <chrono>
#include <cstdint>
#include <string>

#include "common/fd.hpp"

namespace genapp::tests {

// From 127.0.0.`source`, blocking. No descriptor when it is refused or not connected in `limit`.
// The same limit is set for each later send and receive.
common::Fd connect_from(int source, std::uint16_t port, std::chrono::seconds limit);

// The same without waiting: the connection may still be under way. No descriptor when it failed at
// once.
common::Fd begin_connect_from(int source, std::uint16_t port);

// Whether the connection is made.
bool is_connected(const common::Fd& fd);
// Whether the peer has ended it, by FIN or reset; reads what there is. Never waits.
bool is_ended(const common::Fd& fd);
// Closes with a reset, which leaves no TIME_WAIT.
void reset(common::Fd& fd);

struct Reply {
  std::string bytes;
  bool fin = false;  // ended politely, not by a reset or the limit
};
// Everything until the peer ends.
Reply read_reply(const common::Fd& fd);

}  // namespace genapp::tests
