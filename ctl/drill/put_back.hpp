#pragma once

#include "ctl/drill/target.hpp"

namespace genapp::ctl::drill {

// Brings the resource back to what it was before the fault: its daemon runs and serves, probes
// count, quickCheck says 0. What the drill itself held (port, disk) is free by then. True when that
// is so, or when somebody took the resource out of service meanwhile; else it says on standard
// error what a person must do. Says there what it did; says nothing when there was nothing to do.
// Blocks for HC_TIMEOUT and about 30 s at most, twice with wait_first_probe off. Throws
// common::Error.
bool put_back(const Target& target);

}  // namespace genapp::ctl::drill
