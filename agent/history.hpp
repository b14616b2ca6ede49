#pragma once

// What a resource has been through lately: its states and what the monitors saw. Pure; bounded.

#include <cstddef>
#include <vector>

#include "agent/machine.hpp"
#include "common/clock.hpp"

namespace genapp::agent {

class History {
 public:
  using Clock = common::Clock;
  struct Stay {
    Clock::time_point since{};
    State state{};
    bool faulted = false;
  };
  struct Probe {
    Clock::time_point at{};  // when it ended
    Ended how{};
    Clock::duration took{};
  };

  void enter(Clock::time_point now, State state, bool faulted);
  void probed(const Probe& probe);

  // Oldest first.
  const std::vector<Stay>& stays() const { return stays_; }
  const std::vector<Probe>& probes() const { return probes_; }

 private:
  std::vector<Stay> stays_{};
  std::vector<Probe> probes_{};
};

}  // namespace genapp::agent
