#include "tests/stress/loopback.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace genapp::tests {
namespace {

using common::Fd;

sockaddr_in loopback(int last, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl((127u << 24) | static_cast<unsigned>(last));
  return address;
}

int connect_socket(const Fd& fd, int source, std::uint16_t port) {
  // So that each source address has all ports.
  const int yes = 1;
  ::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  const sockaddr_in from = loopback(source, 0);
  const sockaddr_in to = loopback(1, port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) return -1;
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

}  // namespace

Fd connect_from(int source, std::uint16_t port, std::chrono::seconds limit) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval most{limit.count(), 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  if (connect_socket(fd, source, port) != 0) fd.close();
  return fd;
}

Fd begin_connect_from(int source, std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (connect_socket(fd, source, port) != 0 && errno != EINPROGRESS) fd.close();
  return fd;
}

bool is_connected(const Fd& fd) {
  pollfd item{fd.get(), POLLOUT, 0};
  return ::poll(&item, 1, 0) > 0 && !(item.revents & (POLLERR | POLLHUP));
}

bool is_ended(const Fd& fd) {
  char buffer[4096];
  for (;;) {
    const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) continue;
    return n == 0 || (errno != EAGAIN && errno != EINTR);
  }
}

void reset(Fd& fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd.close();
}

Reply read_reply(const Fd& fd) {
  Reply reply;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0) {
    reply.bytes.append(buffer, static_cast<std::size_t>(n));
  }
  reply.fin = n == 0;
  return reply;
}

}  // namespace genapp::tests
