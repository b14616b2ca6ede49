#include "lbhc/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace genapp::lbhc {

std::uint16_t port_of(const sockaddr_storage& peer) {
  if (peer.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in&>(peer).sin_port);
  }
  if (peer.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6&>(peer).sin6_port);
  }
  return 0;
}

Address mapped(const std::array<std::uint8_t, 4>& ipv4) {
  Address address;
  address.bytes[10] = address.bytes[11] = 0xff;
  std::copy(ipv4.begin(), ipv4.end(), address.bytes.begin() + 12);
  return address;
}

Address Address::from_socket(const sockaddr_storage& peer) {
  if (peer.ss_family == AF_INET) {
    std::array<std::uint8_t, 4> ipv4{};
    std::memcpy(ipv4.data(), &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, ipv4.size());
    return mapped(ipv4);
  }
  Address address;
  if (peer.ss_family == AF_INET6) {
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr,
                address.bytes.size());
  }
  return address;
}

bool Address::is_loopback() const {
  if (std::equal(bytes.begin(), bytes.begin() + 12, mapped({}).bytes.begin())) {
    return bytes[12] == 127;
  }
  Address loopback;
  loopback.bytes[15] = 1;
  return *this == loopback;
}

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN];
  const bool ipv4 = std::equal(bytes.begin(), bytes.begin() + 12, mapped({}).bytes.begin());
  const void* raw = ipv4 ? bytes.data() + 12 : bytes.data();
  return ::inet_ntop(ipv4 ? AF_INET : AF_INET6, raw, buffer, sizeof buffer) ? buffer : "?";
}

}  // namespace genapp::lbhc
