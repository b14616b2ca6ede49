#pragma once

// The agent's identity on this node: a lock that the kernel holds for the living process, and a
// control socket, in a directory of its own in the run directory (common/paths.hpp).
//
//   agent/pid         common/pid_file.hpp; its word is "agent"
//   agent/sock        common/control_server.hpp
//   agent/.lock       held while these are made or taken away; for moments
//   agent/tasks/      of what it has begun: run by others
//   agent/resources/  what it keeps for the agent after it
//   agent/events      agent/notice_log.hpp
//
// Nothing of it has to be cleaned after a SIGKILL: the next agent takes it over.

#include "common/directory.hpp"
#include "common/pid_file.hpp"

namespace genapp::agent {

// The identity, held by the calling process until it ends or releases it.
class AgentIdentity {
 public:
  // Takes over what a dead agent left. Makes the run directory where it is missing and its parent
  // is there. Throws common::Error, which names the other's pid where an agent runs already.
  static AgentIdentity take();

  // For the control socket and the folders beside it.
  const common::Directory& directory() const { return directory_; }
  // Whether others can still find it: false when somebody has cleaned the run directory, or moved
  // or covered it.
  bool in_place() const;
  // Takes socket and pid away; the folders stay for the next agent. Throws nothing: what stays is
  // taken over by it.
  void release();

 private:
  AgentIdentity(common::Directory directory, common::PidFile pid_file);

  common::Directory directory_;
  common::PidFile pid_file_;
};

}  // namespace genapp::agent
