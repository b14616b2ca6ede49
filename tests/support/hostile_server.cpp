#include "tests/support/hostile_server.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace genapp::tests {
namespace {

using common::Fd;

struct Where {
  Where(const std::string& host, std::uint16_t port) {
    const bool v6 = host.find(':') != std::string::npos;
    auto* in = reinterpret_cast<sockaddr_in*>(&bytes);
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&bytes);
    family = v6 ? AF_INET6 : AF_INET;
    size = v6 ? sizeof *in6 : sizeof *in;
    bytes.ss_family = static_cast<sa_family_t>(family);
    (v6 ? in6->sin6_port : in->sin_port) = htons(port);
    ::inet_pton(family, host.c_str(),
                v6 ? static_cast<void*>(&in6->sin6_addr) : static_cast<void*>(&in->sin_addr));
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }

  sockaddr_storage bytes{};
  socklen_t size = 0;
  int family = AF_INET;
};

Fd listen_on(const std::string& host, std::uint16_t port, int backlog) {
  const Where where(host, port);
  Fd fd(::socket(where.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int yes = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (where.family == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (::bind(fd.get(), where.get(), where.size) != 0 || ::listen(fd.get(), backlog) != 0) {
    throw std::runtime_error("cannot listen on " + host + " port " + std::to_string(port));
  }
  return fd;
}

}  // namespace

bool Conversation::wait_until_ready(short what, int milliseconds) {
  std::array<pollfd, 2> items{{{server_.end_.get(), POLLIN, 0}, {fd_.get(), what, 0}}};
  while (::poll(items.data(), items.size(), milliseconds) < 0 && errno == EINTR) {
  }
  return !items[0].revents;
}

bool Conversation::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) {
      if (errno == ECONNRESET) ++server_.resets_;
      return false;
    }
    if (n < 0 && !wait_until_ready(POLLOUT)) return false;
    if (n > 0) {
      server_.bytes_sent_ += static_cast<std::size_t>(n);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  return true;
}

bool Conversation::pause(std::chrono::milliseconds length) {
  const auto end = std::chrono::steady_clock::now() + length;
  for (auto left = length; left.count() > 0; left = std::chrono::ceil<std::chrono::milliseconds>(
                                                 end - std::chrono::steady_clock::now())) {
    pollfd item{server_.end_.get(), POLLIN, 0};
    if (::poll(&item, 1, static_cast<int>(left.count())) > 0) return false;
  }
  return true;
}

bool Conversation::wait_for(std::string_view text) {
  for (;;) {
    if (const auto at = unread_.find(text); at != std::string::npos) {
      unread_.erase(0, at + text.size());
      return true;
    }
    if (!wait_until_ready(POLLIN)) return false;
    std::array<char, 4096> buffer;
    const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) continue;
    if (n < 0 && errno == ECONNRESET) ++server_.resets_;
    if (n <= 0) return false;
    unread_.append(buffer.data(), static_cast<std::size_t>(n));
    const std::lock_guard lock(server_.mutex_);
    server_.received_.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

void Conversation::hold() {
  // No client says this.
  while (wait_for(std::string_view("\0\1\2\3", 4))) {
  }
}

void Conversation::reset() {
  const linger at_once{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd_.close();
}

namespace talk {

Talk silent() {
  return [](Conversation& peer) { peer.hold(); };
}

Talk drip(std::string text, std::chrono::milliseconds interval) {
  return [text, interval](Conversation& peer) {
    for (const char c : text) {
      if (!peer.send({&c, 1}) || !peer.pause(interval)) return;
    }
    peer.hold();
  };
}

Talk resetting() {
  return [](Conversation& peer) {
    if (peer.wait_for("\n")) peer.reset();
  };
}

Talk garbage() {
  return [](Conversation& peer) {
    std::string bytes;
    for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(255 - i % 256);
    peer.send(bytes);
    peer.hold();
  };
}

Talk closing() {
  return [](Conversation&) {};
}

Talk endless(std::string beginning, std::string piece) {
  std::string much;
  while (much.size() < 16384) much += piece;
  return [beginning, much](Conversation& peer) {
    if (!peer.send(beginning)) return;
    while (peer.send(much)) {
    }
  };
}

Talk scripted(std::vector<Line> lines) {
  return [lines](Conversation& peer) {
    for (const Line& line : lines) {
      if (!peer.send(line.send)) return;
      if (!line.wait_for.empty() && !peer.wait_for(line.wait_for)) return;
    }
  };
}

}  // namespace talk

HostileServer::HostileServer(Talk talk, const std::string& host)
    : talk_(std::move(talk)),
      listener_(listen_on(host, port_.number(), 128)),
      end_(::eventfd(0, EFD_CLOEXEC)),
      acceptor_([this] { accept_all(); }) {}

HostileServer::~HostileServer() {
  ::eventfd_write(end_.get(), 1);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
}

std::string HostileServer::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

void HostileServer::accept_all() {
  for (;;) {
    std::array<pollfd, 2> items{{{end_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}}};
    ::poll(items.data(), items.size(), -1);
    if (items[0].revents) return;
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) continue;
    ++talking_;
    ++connections_;
    threads_.emplace_back([this, number = fd.release()] {
      {
        Conversation peer(*this, Fd(number));
        talk_(peer);
      }
      --talking_;
    });
  }
}

BlackHole::BlackHole(const std::string& host) : listener_(listen_on(host, port_.number(), 0)) {
  const Where where(host, port_.number());
  // A backlog of 0 holds one connection; those after it only prove that no more fit.
  for (int i = 0; i < 3; ++i) {
    clients_.emplace_back(::socket(where.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ::connect(clients_.back().get(), where.get(), where.size);
  }
}

}  // namespace genapp::tests
