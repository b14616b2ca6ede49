#pragma once

#include "common/clock.hpp"

namespace genapp::action {

// Ends this process with exit code 1 and one line on standard error should it still run after
// `limit` from now, whatever it waits for (a file system that hangs, say). LifeKeeper kills a
// quickCheck after 22 s and does not count that as a failure, so a hanging one would hide a fault.
// A second call replaces the first one's limit. Throws common::Error.
void limit_quick_check(common::Clock::duration limit);

}  // namespace genapp::action
