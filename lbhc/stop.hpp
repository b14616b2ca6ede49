#pragma once

// Ends a daemon, and takes away what one left.

#include <functional>

#include "common/application.hpp"
#include "common/clock.hpp"
#include "common/directory.hpp"
#include "common/identifier.hpp"

namespace genapp::lbhc {

// Ends the living daemon of the id, if there is one: drain (when longer than zero), TERM, after 5 s
// KILL. Signals go only to a process that was proved to hold the id's lock. Returns when it is
// gone; false when there was none. Throws common::Error when it can't be ended.
bool stop_daemon(const common::Directory& run_dir, const common::Id& id,
                 common::Clock::duration drain);

// Takes away the flag, the socket and the pid file of a daemon that is dead, then calls
// `when_clean`, all with ID.lock held; and the lock file itself. Returns false, having done
// nothing, when a daemon is alive: one that was started meanwhile. Throws common::Error.
bool clean_up_if_dead(
    const common::Directory& run_dir, const common::Id& id,
    const std::function<void()>& when_clean = [] {});

// Records that a start failed, unless a daemon is alive: one that serves keeps the state it has, or
// a second restore that is refused would make a served resource look failed, and so unwatched.
// Throws nothing: what can't be recorded is logged.
void record_failed_start(const common::Directory& run_dir, const common::Id& id,
                         common::StateStore& states);

// Whether anything of the id is in the run directory: files of a daemon, living or dead, or a
// state.
bool has_trace(const common::Directory& run_dir, const common::Id& id);

}  // namespace genapp::lbhc
