#pragma once

// What rules a resource's life under the agent. Names and defaults are MCCS's (seed 003) and, where
// it gives none, Veritas's; a resource's file has them in snake_case.

#include <cstddef>

#include "common/clock.hpp"

namespace genapp::agent {

struct Attributes {
  using Duration = common::Clock::duration;

  Duration monitor_interval = std::chrono::seconds(10);
  Duration monitor_timeout = std::chrono::seconds(10);
  Duration offline_monitor_interval = std::chrono::seconds(60);  // 0: not while it is offline
  std::size_t fault_on_monitor_timeouts = 4;                     // in a row; 0: never a fault
  Duration online_timeout = std::chrono::seconds(300);
  Duration offline_timeout = std::chrono::seconds(300);
  Duration clean_timeout = std::chrono::seconds(60);
  std::size_t online_retry_limit = 0;  // further starts after one that failed
  std::size_t online_wait_limit = 2;   // monitors after a start that may still say offline
  std::size_t offline_wait_limit = 0;  // monitors after a stop that may still say online
  Duration online_trust_time = std::chrono::seconds(600);  // so long online wipes the counts away
  std::size_t restart_limit = 0;                           // restarts after a fault
  std::size_t tolerance_limit = 0;  // monitors that may say offline before it is a fault
};

}  // namespace genapp::agent
