#pragma once

// The command itself: its start, its signals, its end, and the end of all that it has started.

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "common/fd.hpp"
#include "common/spawn.hpp"
#include "remote/keeper_start.hpp"

namespace genapp::remote::keeper {

class Command {
 public:
  // Starts it with `out` and `err` as its streams; it ends with the caller, whose environment it
  // has. `record` as Spawn.pid_record. Throws common::StartError when it can't be executed,
  // common::Error on other trouble; then nothing runs.
  static Command start(const KeeperStart& start, int out, int err, int record);

  pid_t pid() const { return pid_; }
  std::uint64_t start_ticks() const { return start_ticks_; }

  // Reaps every child that has ended, and so keeps none of the command's orphans as a zombie. How
  // the command has ended, if it has.
  const std::optional<common::Ending>& reap();
  const std::optional<common::Ending>& ended() const { return ended_; }

  // To its process group; nothing once it has ended.
  void signal(int number) const;
  // KILL for all its descendants, and for itself where it has not ended: one step, for which
  // descendants of the dead have become ours. True when nothing is left. Doesn't block but for
  // reading /proc.
  bool kill_all();

 private:
  Command(pid_t pid, std::uint64_t start_ticks) : pid_(pid), start_ticks_(start_ticks) {}

  pid_t pid_;
  std::uint64_t start_ticks_;
  std::optional<common::Ending> ended_{};
};

}  // namespace genapp::remote::keeper
