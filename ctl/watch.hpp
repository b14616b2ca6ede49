#pragma once

#include <chrono>
#include <functional>

#include "ctl/output.hpp"

namespace genapp::ctl {

// Prints what `look` finds, again and again with `interval` between, until INT or TERM ends the
// process with exit code 0: at once, whatever look() waits for, but never within a block. Throws
// what look() and print() throw.
[[noreturn]] void watch(std::chrono::milliseconds interval, const std::function<Block()>& look);

}  // namespace genapp::ctl
