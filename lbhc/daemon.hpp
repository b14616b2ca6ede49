#pragma once

// The health-check daemon: a responder, its no-probe clock, a control socket, one event loop. The
// same for restore's background daemon and for lbhcd.

#include <functional>
#include <optional>
#include <string>

#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/fd.hpp"
#include "common/identifier.hpp"
#include "lbhc/config.hpp"
#include "lbhc/confine.hpp"

namespace genapp::lbhc {

// Thrown when a living daemon holds the id.
class DaemonIsRunning : public common::Error {
 public:
  using common::Error::Error;
};

struct DaemonSetup {
  const common::Directory& run_dir;
  common::Tag tag;
  common::Id id;
  Config config;
  // Also when wait_first_probe is off: recover needs a probe.
  bool wait_first_probe = true;
  // lbhcd. On TERM: drain first (where nobody else would), or end at once (under restore's daemon,
  // remove does the draining). Told as "foreground" in the status.
  bool drain_on_term = false;

  // What is given up before the first answer; none (in tests): nothing.
  std::optional<Confinement> confinement{};

  // Called with ID.lock held, before anything is touched; throws common::Error to give up.
  std::function<void()> before_start = [] {};
  // The port is open, and the first probe has come if one is waited for. Throws to give up.
  std::function<void()> ready = [] {};
  // The daemon has ended, or its start has failed; with ID.lock held, its files gone. Not called
  // when the id is another daemon's. What it throws as common::Error is logged.
  enum class End { in_order, failed };
  std::function<void(End)> ended = [](End) {};
  // Of restore's socket pair, else none: readable at end of file means that restore died before it
  // said that the start counts; then everything is undone. One byte means that it counts.
  common::Fd starter;
};

// Runs until told to stop: TERM, INT or a drain that has ended. Blocks. Takes ID.pid's lock first
// and gives it back at the process's end: the caller exits soon after. HUP: opens the log file
// anew.
//
// Throws DaemonIsRunning; common::Error when it can't start or no first probe comes within
// HC_TIMEOUT. Then everything is undone: no port and no flag stays, and no file
// but the empty ID.lock.
void run_daemon(DaemonSetup setup);

}  // namespace genapp::lbhc
