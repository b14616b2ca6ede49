#pragma once

// A load balancer played by the drill: a probe every 100 ms over loopback.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "ctl/drill/report.hpp"
#include "lbhc/address.hpp"
#include "lbhc/config.hpp"

namespace genapp::ctl::drill {

// A numeric address. Throws common::Error.
lbhc::Address parse_address(const std::string& text);

class Prober {
 public:
  // Probes from a thread until it is destroyed (which takes 1 s at most).
  Prober(const std::string& address, const lbhc::Config& config);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  ProbeCount count() const { return {sent_, lost_}; }

 private:
  std::atomic<bool> ending_ = false;
  std::atomic<std::uint64_t> sent_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
  std::thread thread_;
};

}  // namespace genapp::ctl::drill
