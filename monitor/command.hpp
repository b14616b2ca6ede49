#pragma once

// The whole of httpmon and smtpmon, which differ in the protocol alone.

#include "monitor/events.hpp"

namespace genapp::monitor {

// What main returns.
int run_command(Protocol protocol, int argc, const char* const* argv);

}  // namespace genapp::monitor
