#pragma once

// A long-running command under a supervisor: a process of its own that starts the command, logs
// what it prints, and records how it ended. The supervisor holds ID.pid as long as it lives. Should
// it be killed, the kernel ends the command with it (PR_SET_PDEATHSIG), so that nothing runs
// unwatched; what the command had started itself carries the supervisor's GENAPP_RUN.

#include <functional>
#include <optional>
#include <string>

#include "common/directory.hpp"
#include "common/identifier.hpp"
#include "common/log.hpp"
#include "common/spawn.hpp"

namespace genapp::script {

struct SupervisedStart {
  const common::Directory& run_dir;
  const common::Tag& tag;
  const common::Id& id;
  // Called in the supervisor, whose run the command's environment names. It may throw.
  std::function<common::Spawn(const std::string& run)> program;
  // The start counts when the command has run for so long.
  common::Clock::duration started_after{};
  common::Clock::duration kill_after{};
  common::log::DaemonLog log;
  // Called here with ID.lock held, once the start counts; throws to have everything undone.
  std::function<void()> take_note;
};

// Forks the supervisor (this program's own image, as lbhc/launch.hpp says why) and blocks for
// `started_after` and 10 s at most; TERM, INT and HUP, which are blocked from then on, end it. When
// it returns, the command runs. Throws common::Error with the reason; then neither it nor a file of
// it stays. Should the caller be killed meanwhile, the supervisor undoes the start.
void start_supervised(const SupervisedStart& start);

// Ends the command and its supervisor, whatever state they are in, and takes their files away:
// TERM, after `kill_after` KILL. Does nothing where there are none. The caller holds the id's turn,
// so that no start comes between. Blocks for `kill_after` and some 15 s at most. Throws
// common::Error when they do not end.
void end_supervised(const common::Directory& run_dir, const common::Id& id,
                    common::Clock::duration kill_after);

// Nothing when the command runs; else one line that says what became of it. Throws common::Error.
std::optional<std::string> why_not_running(const common::Directory& run_dir, const common::Id& id);

}  // namespace genapp::script
