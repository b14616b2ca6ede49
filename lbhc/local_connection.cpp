#include "lbhc/local_connection.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "common/error.hpp"
#include "lbhc/address.hpp"

namespace genapp::lbhc {
namespace {

using common::Clock;
using common::Error;

constexpr std::size_t kMostBytes = 16 * 1024;

std::string address_for(const std::string& listen) {
  if (listen == "any" || listen == "ipv4") return "127.0.0.1";
  return listen == "ipv6" ? "::1" : listen;
}

// Any local port of the family when `address` is empty.
socklen_t make_address(bool ipv6, const std::string& address, std::uint16_t port,
                       sockaddr_storage& storage) {
  if (ipv6) {
    auto& in = reinterpret_cast<sockaddr_in6&>(storage);
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    if (!address.empty()) ::inet_pton(AF_INET6, address.c_str(), &in.sin6_addr);
    return sizeof in;
  }
  auto& in = reinterpret_cast<sockaddr_in&>(storage);
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  if (!address.empty()) ::inet_pton(AF_INET, address.c_str(), &in.sin_addr);
  return sizeof in;
}

// False at the deadline.
bool wait_for(const common::Fd& fd, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd item{fd.get(), events, 0};
    if (::poll(&item, 1, static_cast<int>(std::clamp<long long>(left, 0, 60'000))) > 0) return true;
    if (Clock::now() >= deadline) return false;
  }
}

}  // namespace

LocalConnection::LocalConnection(const std::string& listen, std::uint16_t port)
    : address_(address_for(listen)), port_(port) {
  where_ = "a probe of port " + std::to_string(port) + " at " + address_;
  ipv6_ = address_.find(':') != std::string::npos;
  fd_ = common::Fd(
      ::socket(ipv6_ ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_) throw common::system_error(where_, errno);
  sockaddr_storage own{};
  socklen_t length = make_address(ipv6_, "", 0, own);
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&own), length) != 0 ||
      ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) {
    throw common::system_error(where_, errno);
  }
  source_port_ = port_of(own);
}

std::string LocalConnection::ask(std::string_view request, Clock::time_point deadline) {
  sockaddr_storage peer{};
  const socklen_t length = make_address(ipv6_, address_, port_, peer);
  if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&peer), length) != 0) {
    if (errno != EINPROGRESS) throw common::system_error(where_, errno);
    if (!wait_for(fd_, POLLOUT, deadline)) throw Error(where_ + ": no connection in time");
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) throw common::system_error(where_, error);
  }
  if (!request.empty() && ::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
                              static_cast<ssize_t>(request.size())) {
    throw common::system_error(where_, errno);
  }
  std::string answer;
  char buffer[2048];
  while (answer.size() < kMostBytes) {
    if (!wait_for(fd_, POLLIN, deadline)) throw Error(where_ + ": no whole answer in time");
    const ssize_t size = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) throw common::system_error(where_, errno);
    if (size == 0) break;
    answer.append(buffer, static_cast<std::size_t>(size));
  }
  return answer;
}

}  // namespace genapp::lbhc
