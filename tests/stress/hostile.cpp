#include "tests/stress/hostile.hpp"

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "tests/stress/loopback.hpp"

namespace genapp::tests {
namespace {

using namespace std::chrono_literals;
using common::Fd;

constexpr int kFirstSource = 10;
constexpr int kSources = 240;
constexpr auto kPatience = 3s;

void send_some(const Fd& fd, std::string_view bytes) {
  [[maybe_unused]] const auto sent =
      ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

// What OpenSSL sends first, shortened: record header, handshake header, version, random.
std::string client_hello() {
  std::string hello("\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03", 11);
  return hello + std::string(242, '\x5a');
}

}  // namespace

Hostile::Hostile(std::uint16_t port) : port_(port) {
  for (const auto kind :
       {&Hostile::silent, &Hostile::drip, &Hostile::half_close, &Hostile::reset_at_once,
        &Hostile::scan, &Hostile::tls_hello, &Hostile::megabyte, &Hostile::burst}) {
    threads_.emplace_back(kind, this);
  }
}

void Hostile::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

// Each connection from the next address, so that none runs out of ports.
int Hostile::next_source() { return kFirstSource + static_cast<int>(connections_++ % kSources); }

void Hostile::silent() {
  std::vector<Fd> peers(kSilentPeers);
  while (!stopping_) {
    for (Fd& peer : peers) {
      if (!peer || is_ended(peer)) peer = begin_connect_from(next_source(), port_);
    }
    std::this_thread::sleep_for(50ms);
  }
}

void Hostile::drip() {
  static constexpr std::string_view kBytes = "GET / HTTP/1.1\r\nHost: a-name-that-never-ends";
  std::vector<Fd> peers(kDrippingPeers);
  for (std::size_t turn = 0; !stopping_; ++turn) {
    for (Fd& peer : peers) {
      if (!peer || is_ended(peer)) peer = begin_connect_from(next_source(), port_);
      if (peer) send_some(peer, kBytes.substr(turn % kBytes.size(), 1));
    }
    std::this_thread::sleep_for(20ms);
  }
}

void Hostile::half_close() {
  std::vector<Fd> peers(kHalfClosedPeers);
  while (!stopping_) {
    for (Fd& peer : peers) {
      if (peer && !is_ended(peer)) continue;
      peer = begin_connect_from(next_source(), port_);
      if (peer) ::shutdown(peer.get(), SHUT_WR);
    }
    std::this_thread::sleep_for(20ms);
  }
}

void Hostile::reset_at_once() {
  while (!stopping_) {
    for (int i = 0; i < 10; ++i) {
      Fd peer = begin_connect_from(next_source(), port_);
      if (peer) reset(peer);
    }
    std::this_thread::sleep_for(20ms);
  }
}

void Hostile::scan() {
  while (!stopping_) {
    for (int i = 0; i < 10; ++i) begin_connect_from(next_source(), port_);
    std::this_thread::sleep_for(25ms);
  }
}

void Hostile::tls_hello() {
  const std::string hello = client_hello();
  while (!stopping_) {
    const Fd peer = connect_from(next_source(), port_, kPatience);
    if (peer) {
      send_some(peer, hello);
      read_reply(peer);
    }
    std::this_thread::sleep_for(5ms);
  }
}

void Hostile::megabyte() {
  const std::string body = "POST / HTTP/1.1\r\nX: " + std::string(1 << 20, 'x');
  while (!stopping_) {
    const Fd peer = connect_from(next_source(), port_, kPatience);
    if (peer) ::send(peer.get(), body.data(), body.size(), MSG_NOSIGNAL);
    std::this_thread::sleep_for(20ms);
  }
}

void Hostile::burst() {
  while (!stopping_) {
    std::vector<Fd> peers;
    for (int i = 0; i < kBurst && !stopping_; ++i) {
      peers.push_back(begin_connect_from(next_source(), port_));
    }
    for (Fd& peer : peers) {
      if (peer) reset(peer);
    }
    std::this_thread::sleep_for(1s);
  }
}

}  // namespace genapp::tests
