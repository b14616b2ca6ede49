#pragma once

// Who listens on this host.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lbhc/address.hpp"

namespace genapp::lbhc {

// The address at which a TCP socket listens to `port` such that a prober of `listen` ("any",
// "ipv4", "ipv6" or an address) gets its handshake; nothing when none does. In this network
// namespace alone: a port that the firewall redirects here is not seen. Throws common::Error when
// the kernel does not tell.
std::optional<Address> find_listener(const std::string& listen, std::uint16_t port);

// A row of /proc/net/tcp or tcp6 (proc(5)). Pure; nothing when it is none.
struct SocketRow {
  Address local;
  std::uint16_t port = 0;
  bool listens = false;
};
std::optional<SocketRow> parse_socket_row(std::string_view line);

}  // namespace genapp::lbhc
