#pragma once

// The resource that a drill works on.

#include <optional>

#include "common/directory.hpp"
#include "common/fd.hpp"
#include "common/identifier.hpp"
#include "common/state.hpp"
#include "ctl/drill/args.hpp"
#include "ctl/drill/programs.hpp"
#include "lbhc/address.hpp"
#include "lbhc/config.hpp"
#include "lbhc/status.hpp"

namespace genapp::ctl::drill {

struct Target {
  common::Tag tag;
  common::Id id;
  common::Directory run_dir;
  lbhc::Config config;
  lbhc::Status daemon;  // as it was when it was last looked at
  Programs programs;
  common::Clock::duration hc_timeout;  // the daemon's own
  bool probe;                          // play the load balancer
  common::Fd lock;                     // keeps other drills of this resource out, while it or a
                                       // fork's copy of it is open
};

// Throws common::Error unless the resource can be drilled: it is this node's own (no LifeKeeper),
// in service (ISP), its daemon serves and is no lbhcd, recover is allowed to act, and no other
// drill is at it. Changes nothing. Blocks for 1 s at most.
Target find_target(const Args& args);

// Before each fault: throws common::Error unless quickCheck says 0, since a drill starts from
// health; looks at the daemon anew. Blocks for 10 s at most.
void require_health(Target& target, const Programs::Wait& wait);

// As it stands now. Throws common::Error.
common::State state_of(const Target& target);

// Where --probe connects to: loopback, or the one address the daemon listens on.
std::string probe_address(const lbhc::Config& config);

}  // namespace genapp::ctl::drill
