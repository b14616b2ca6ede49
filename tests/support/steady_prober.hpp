#pragma once

// A load balancer that only connects: a probe every 20 ms over loopback, from a thread.

#include <atomic>
#include <cstdint>
#include <thread>

#include "tests/support/net.hpp"

namespace genapp::tests {

class SteadyProber {
 public:
  explicit SteadyProber(std::uint16_t port)
      : thread_([this, port] {
          while (!ending_) {
            if (!paused_) accepts(port);
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
          }
        }) {}
  ~SteadyProber() {
    ending_ = true;
    thread_.join();
  }
  SteadyProber(const SteadyProber&) = delete;
  SteadyProber& operator=(const SteadyProber&) = delete;

  void pause() { paused_ = true; }
  void go_on() { paused_ = false; }

 private:
  std::atomic<bool> ending_ = false;
  std::atomic<bool> paused_ = false;
  std::thread thread_;
};

}  // namespace genapp::tests
