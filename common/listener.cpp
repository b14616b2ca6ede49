#include "common/listener.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::common {
namespace {

// listen(2) cuts this to net.core.somaxconn (4096 by default; never below 128 on a sane host).
constexpr int kBacklog = 65535;

struct Endpoint {
  sockaddr_storage address{};
  socklen_t length = 0;
};

Endpoint ipv4_endpoint(in_addr address, std::uint16_t port) {
  Endpoint endpoint;
  auto& in = reinterpret_cast<sockaddr_in&>(endpoint.address);
  in.sin_family = AF_INET;
  in.sin_addr = address;
  in.sin_port = htons(port);
  endpoint.length = sizeof(sockaddr_in);
  return endpoint;
}

Endpoint ipv6_endpoint(const in6_addr& address, std::uint16_t port) {
  Endpoint endpoint;
  auto& in = reinterpret_cast<sockaddr_in6&>(endpoint.address);
  in.sin6_family = AF_INET6;
  in.sin6_addr = address;
  in.sin6_port = htons(port);
  endpoint.length = sizeof(sockaddr_in6);
  return endpoint;
}

Error bind_error(const std::string& where, std::uint16_t port, int error) {
  const std::string what = "port " + std::to_string(port) + " (" + where + ")";
  switch (error) {
    case EADDRINUSE:
      return Error(what + " is in use by another program: see which with 'ss -ltnp sport = :" +
                   std::to_string(port) + "'");
    case EACCES:
      return Error(what + ": permission denied: ports below " +
                   "net.ipv4.ip_unprivileged_port_start need root or CAP_NET_BIND_SERVICE");
    case EADDRNOTAVAIL:
      return Error(what + ": the address is not one of this host's: see 'ip address'");
    default:
      return system_error(what, error);
  }
}

void set_option(const Fd& fd, int level, int name, int value, const std::string& where) {
  if (::setsockopt(fd.get(), level, name, &value, sizeof value) != 0) {
    throw system_error("socket option for " + where, errno);
  }
}

Fd bind_and_listen(Fd fd, const Endpoint& endpoint, const std::string& where, std::uint16_t port) {
  // Connections of an earlier daemon in TIME_WAIT must not keep the port. SO_REUSEPORT would let a
  // second daemon bind silently.
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, where);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.length) !=
          0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    throw bind_error(where, port, errno);
  }
  return fd;
}

Fd make_socket(int family) {
  return Fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Fd checked_socket(int family, const std::string& where, std::uint16_t port) {
  Fd fd = make_socket(family);
  if (!fd) throw bind_error(where, port, errno);
  return fd;
}

Fd open_ipv6(const in6_addr& address, bool only, const std::string& where, std::uint16_t port) {
  Fd fd = checked_socket(AF_INET6, where, port);
  set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, only ? 1 : 0, where);
  return bind_and_listen(std::move(fd), ipv6_endpoint(address, port), where, port);
}

Fd open_ipv4(in_addr address, const std::string& where, std::uint16_t port) {
  return bind_and_listen(checked_socket(AF_INET, where, port), ipv4_endpoint(address, port), where,
                         port);
}

bool is_address(const std::string& text) {
  in6_addr any{};
  if (text.find('\0') != std::string::npos) return false;
  if (::inet_pton(AF_INET, text.c_str(), &any) == 1) return true;
  // An IPv4-mapped address is to be written as the IPv4 address that it is.
  return ::inet_pton(AF_INET6, text.c_str(), &any) == 1 && !IN6_IS_ADDR_V4MAPPED(&any);
}

bool host_has_ipv6() { return make_socket(AF_INET6) || errno != EAFNOSUPPORT; }

}  // namespace

Fd open_listener(const std::string& listen, std::uint16_t port) {
  in_addr any4{};
  any4.s_addr = htonl(INADDR_ANY);
  if (listen == "any") {
    return host_has_ipv6() ? open_ipv6(in6addr_any, false, "any address", port)
                           : open_ipv4(any4, "any address", port);
  }
  if (listen == "ipv4") return open_ipv4(any4, "any IPv4 address", port);
  if (listen == "ipv6") return open_ipv6(in6addr_any, true, "any IPv6 address", port);
  in_addr v4{};
  if (::inet_pton(AF_INET, listen.c_str(), &v4) == 1) return open_ipv4(v4, listen, port);
  in6_addr v6{};
  if (::inet_pton(AF_INET6, listen.c_str(), &v6) == 1) return open_ipv6(v6, true, listen, port);
  throw Error("listen = \"" + listen + "\" is no address");
}

const std::string& as_listen(const Setting& setting) {
  const std::string& text = setting.as_string();
  if (text != "any" && text != "ipv4" && text != "ipv6" && !is_address(text)) {
    throw setting.error("is " + quoted(text) + ", must be any, ipv4, ipv6 or a numeric address");
  }
  return text;
}

}  // namespace genapp::common
