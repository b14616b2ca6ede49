#pragma once

// What can be seen of a node from outside.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <vector>

#include "tests/support/lbhc_node.hpp"

namespace genapp::tests {

// Every process that was started with this node's run directory, by its environment.
std::vector<pid_t> processes_of(LbhcNode& node);

// Whether the port answers a probe with the resource's reply.
bool serves(LbhcNode& node);

// As Node::daemon; 0 also where the pid file can't be read or does not name the lock's holder.
pid_t daemon_of(LbhcNode& node);

// Probes, 10 a second, until `done`; false when it is not within `limit`.
bool probe_until(LbhcNode& node, const std::function<bool()>& done,
                 std::chrono::milliseconds limit);

}  // namespace genapp::tests
