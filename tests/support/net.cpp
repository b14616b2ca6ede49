#include "tests/support/net.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <random>
#include <stdexcept>

namespace genapp::tests {
namespace {

using common::Fd;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t kFirstPort = 20000;
constexpr std::uint16_t kLastPort = 32000;

Fd reserve(std::uint16_t port) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = "genapp-test-port-" + std::to_string(port);
  std::memcpy(name.sun_path + 1, text.data(), text.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  return ::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), length) == 0 ? std::move(fd) : Fd();
}

// Without listening: in a test with threads another one may fork just now, and its child would hold
// what listens until it executes its program.
bool is_free(std::uint16_t port) {
  const Fd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  return ::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0;
}

Fd connect_to(const std::string& host, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  const bool is_v4 = ::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) {
    throw std::runtime_error(host + " is no address");
  }
  Fd fd(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int result = is_v4 ? ::connect(fd.get(), reinterpret_cast<sockaddr*>(&v4), sizeof v4)
                           : ::connect(fd.get(), reinterpret_cast<sockaddr*>(&v6), sizeof v6);
  if (result != 0) {
    throw std::runtime_error("connect to " + host + " port " + std::to_string(port) + ": " +
                             std::strerror(errno));
  }
  return fd;
}

}  // namespace

Port::Port() {
  static std::mt19937 random{std::random_device{}()};
  std::uniform_int_distribution<int> any(kFirstPort, kLastPort);
  for (int tries = 0; tries < 1000; ++tries) {
    const auto candidate = static_cast<std::uint16_t>(any(random));
    Fd reservation = reserve(candidate);
    if (reservation && is_free(candidate)) {
      number_ = candidate;
      reservation_ = std::move(reservation);
      return;
    }
  }
  throw std::runtime_error("no free port");
}

Client::Client(const std::string& host, std::uint16_t port) : fd_(connect_to(host, port)) {}

bool Client::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += static_cast<std::size_t>(n);
  }
  return true;
}

void Client::finish() { ::shutdown(fd_.get(), SHUT_WR); }

void Client::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.close();
}

Client::Received Client::receive(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  Received received;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd item{fd_.get(), POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&item, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return received;
    char buffer[4096];
    const ssize_t n = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (n > 0) {
      received.bytes.append(buffer, static_cast<std::size_t>(n));
      continue;
    }
    (n == 0 ? received.ended : received.reset) = true;
    return received;
  }
}

Client::Received probe(std::uint16_t port, const std::string& request, const std::string& host) {
  Client client(host, port);
  client.send(request);
  return client.receive();
}

bool accepts(std::uint16_t port, const std::string& host) {
  try {
    Client client(host, port);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

Client Client::to_socket(const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) throw std::runtime_error(path + " is too long");
  std::memcpy(name.sun_path, path.data(), path.size());
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
    throw std::runtime_error("connect to " + path + ": " + std::strerror(errno));
  }
  return Client(std::move(fd));
}

}  // namespace genapp::tests
