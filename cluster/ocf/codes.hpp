#pragma once

// The exit codes of an OCF resource agent (OCF resource agent API 1.1, "Exit status codes"). They
// are the agents' alone; the other programs' are in common/exit_code.hpp.

namespace genapp::ocf {

enum class Code : int {
  success = 0,
  generic = 1,        // failed, or not healthy
  arguments = 2,      // called wrongly: not by a cluster manager
  unimplemented = 3,  // an action that the agent does not have
  installed = 5,      // something that the resource needs is not on this node
  configured = 6,     // a parameter is wrong, on every node
  not_running = 7,
};

}  // namespace genapp::ocf
