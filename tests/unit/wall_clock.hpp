#pragma once

// The wall clock of this executable, which can be set: its own clock_gettime, gettimeofday and time
// stand in for libc's. CLOCK_MONOTONIC and every other clock are the system's.

#include <chrono>

namespace genapp::tests {

// Sets the wall clock so far beside the true one, for this process and those forked from it.
void set_wall_clock(std::chrono::seconds beside_the_true_one);

}  // namespace genapp::tests
