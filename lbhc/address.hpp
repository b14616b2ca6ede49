#pragma once

// A prober's address. IPv4 is kept as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2), which is how a
// dual-stack socket sees it, so one comparison serves both.

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>

namespace genapp::lbhc {

struct Address {
  std::array<std::uint8_t, 16> bytes{};

  static Address from_socket(const sockaddr_storage& peer);
  // 127.0.0.0/8 or ::1.
  bool is_loopback() const;
  // "127.0.0.1" for a mapped address, else as "2001:db8::1".
  std::string text() const;
  friend bool operator==(const Address&, const Address&) = default;
};

// Its port; 0 for another family.
std::uint16_t port_of(const sockaddr_storage& peer);

// An IPv4 address as a mapped one.
Address mapped(const std::array<std::uint8_t, 4>& ipv4);

}  // namespace genapp::lbhc
