#pragma once

// The real executables, called as a cluster calls them.

#include <functional>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/identifier.hpp"

namespace genapp::ctl::drill {

struct Answer {
  int exit_code = -1;  // -1: ended by a signal
  std::string err;     // what it wrote to standard error
};

class Programs {
 public:
  // `folder`: where they are; empty: where genapp itself is (a build tree), or ../libexec/genapp
  // from there (installed). Throws common::Error when restore, quickCheck or recover is not there.
  // They are run with HC_TIMEOUT = `hc_timeout`, that of the daemon which runs, so that the one
  // that recover starts has it too.
  Programs(const std::string& folder, common::Tag tag, common::Id id,
           common::Clock::duration hc_timeout);

  // Runs "NAME -t TAG -i ID" to its end, in a session of its own, so that a Ctrl-C meant for the
  // drill does not reach it. `wait` is called again and again with the program's pidfd; it waits
  // for a moment, and returns true once the pidfd is readable. Throws common::Error.
  using Wait = std::function<bool(int pidfd)>;
  Answer run(const std::string& name, const Wait& wait) const;

 private:
  std::string folder_;
  common::Tag tag_;
  common::Id id_;
  std::vector<std::string> environment_;
};

}  // namespace genapp::ctl::drill
