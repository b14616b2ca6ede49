#pragma once

// What can be found out about a resource on this node, without changing anything.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/registry.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "common/state.hpp"
#include "lbhc/status.hpp"

namespace genapp::ctl {

// An optional that is empty, of what a readable resource has, could not be told; `error` says why.
struct Observed {
  std::string tag;
  std::optional<std::string> id;
  std::optional<std::string> type;
  std::optional<std::string> info;
  std::optional<std::uint16_t> port;  // in info; only an lbhc has one
  std::optional<common::State> state;
  bool alive = false;                  // see "alive" in status_view.hpp
  std::optional<pid_t> pid;            // nothing when there is none or it can't be told
  std::optional<std::string> at_work;  // the action whose script runs just now
  std::optional<lbhc::Status> daemon;  // nothing when there is none or it does not answer
  std::optional<std::string> node;     // of a remote: the guest
  std::optional<pid_t> guest_pid;      // and its command's pid there
  bool flag = false;                   // ID-hc-ng exists
  // Why no probe comes: the daemon's words, else the flag file's, which a dead daemon leaves.
  std::optional<std::string> cause;
  std::string error;  // empty: everything could be told
};

// All resources by tag, or the one of `only`. A problem with one is told in its `error` and does
// not hide the others. Blocks for about 2 s at most for each resource whose daemon
// hangs or whose guest can't be reached, and for 3 s for each that LifeKeeper does not answer
// about. Throws common::Error when the run directory or the registry as a whole can't be read, or
// `only` does not exist.
std::vector<Observed> observe(const std::optional<common::Tag>& only);

}  // namespace genapp::ctl
