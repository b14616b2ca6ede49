#pragma once

// A load balancer that probes one port, one connection after the other, from a thread of its own.

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "tests/stress/history.hpp"

namespace genapp::tests {

// One plain TCP probe; `now` gives the times. A reply is waited for 5 s.
Attempt probe_once(std::uint16_t port, const std::function<Time()>& now);

class Prober {
 public:
  // Probes every `pause` until the object's end. `now` is called from the thread.
  Prober(std::uint16_t port, Time pause, std::function<Time()> now);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Ends the thread; what it has seen.
  std::vector<Attempt> stop();

 private:
  void run(std::uint16_t port, Time pause);

  std::function<Time()> now_;
  std::atomic<bool> stopping_{false};
  std::vector<Attempt> attempts_;  // the thread's until it has ended
  std::thread thread_;
};

}  // namespace genapp::tests
