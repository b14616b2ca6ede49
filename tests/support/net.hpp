#pragma once

// Ports and naive clients. Loopback only.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "common/fd.hpp"

namespace genapp::tests {

// A TCP port that nothing listens on, below the ephemeral range, and that no other test is given
// while the object lives (an abstract UNIX socket reserves it, so no file stays).
class Port {
 public:
  Port();
  std::uint16_t number() const { return number_; }
  std::string text() const { return std::to_string(number_); }

 private:
  std::uint16_t number_ = 0;
  common::Fd reservation_;
};

// A TCP connection; closed with the object.
class Client {
 public:
  // `host` is a numeric address. Throws std::runtime_error when the connection is refused.
  Client(const std::string& host, std::uint16_t port);
  // To a UNIX socket.
  static Client to_socket(const std::string& path);

  int fd() const { return fd_.get(); }
  // False when the peer is gone.
  bool send(const std::string& bytes);
  // Half-closes.
  void finish();
  // Closes with a reset.
  void reset();
  void close() { fd_.close(); }

  struct Received {
    std::string bytes;
    bool ended = false;  // by a FIN
    bool reset = false;  // by an RST
  };
  // Everything until the peer ends, or `limit`.
  Received receive(std::chrono::milliseconds limit = std::chrono::seconds(20));

 private:
  explicit Client(common::Fd fd) : fd_(std::move(fd)) {}
  common::Fd fd_;
};

// Connects, sends `request`, reads to the end. Throws std::runtime_error when refused.
Client::Received probe(std::uint16_t port, const std::string& request = "",
                       const std::string& host = "127.0.0.1");
// Whether a connection is accepted (and closed at once).
bool accepts(std::uint16_t port, const std::string& host = "127.0.0.1");

}  // namespace genapp::tests
