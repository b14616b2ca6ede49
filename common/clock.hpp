#pragma once

// Time. Decisions use Clock; the wall clock is only ever printed.
//
// Clock is CLOCK_MONOTONIC: it stands still while the machine is suspended. No probe can arrive
// then, so that time must not count against the load balancer; after a resume it has the rest of
// HC_TIMEOUT to come back. CLOCK_BOOTTIME would raise the flag at every resume. A virtual machine
// that its hypervisor pauses may see either clock stop or jump (docs/architecture.md).

#include <chrono>
#include <string>

namespace genapp::common {

using Clock = std::chrono::steady_clock;
using WallClock = std::chrono::system_clock;

// CLOCK_BOOTTIME, which counts a suspended machine's time too: for what another node may have taken
// over meanwhile.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now() noexcept;
};

// "2026-11-22T08:15:02.123Z"
std::string utc_text(WallClock::time_point when);

// "0.2", "30", "1.5": seconds with at most three decimals.
std::string seconds_text(Clock::duration length);

}  // namespace genapp::common
