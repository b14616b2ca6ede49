#pragma once

// Everything at once that has broken health-check responders, against one port of the loopback:
// silent connections, bytes that drip, half-closed peers, resets, port scans, TLS hellos, requests
// of 1 MB, and bursts of more connections than the backlog holds. From 127.0.0.10 and above.

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace genapp::tests {

// Open at once by the hostile; the test needs so many descriptors, and its own.
inline constexpr int kSilentPeers = 2000;
inline constexpr int kDrippingPeers = 200;
inline constexpr int kHalfClosedPeers = 100;
inline constexpr int kBurst = 5000;

class Hostile {
 public:
  explicit Hostile(std::uint16_t port);
  ~Hostile() { stop(); }
  Hostile(const Hostile&) = delete;
  Hostile& operator=(const Hostile&) = delete;

  // Ends the threads and all their connections.
  void stop();
  // Begun so far.
  std::uint64_t connections() const { return connections_; }

 private:
  void silent();
  void drip();
  void half_close();
  void reset_at_once();
  void scan();
  void tls_hello();
  void megabyte();
  void burst();

  int next_source();

  const std::uint16_t port_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> connections_{0};
  std::vector<std::thread> threads_;
};

}  // namespace genapp::tests
