#pragma once

// What genapp may have answered, given all that happened (docs/lifecycle.md, "What always holds").

#include <string>
#include <vector>

#include "tests/stress/history.hpp"

namespace genapp::tests {

// One line for each thing that must not be; empty when all is well. Where the history leaves it
// open what happened (two calls at once, a killed call), nothing is claimed.
std::vector<std::string> violations(const History& history);

const char* action_name(Action action);

}  // namespace genapp::tests
