#pragma once

// RUN_DIR/agent/tasks/TAG: there while a start, stop or clean of the resource is under way. Two
// lines: which of them, and "PID START_TICKS" of the process that does it, which that process
// writes itself before it becomes the program (common/spawn.hpp). So at whatever instruction the
// agent is killed, the next one knows what may run, or that nothing was begun.

#include <optional>
#include <string>

#include "agent/machine.hpp"
#include "common/directory.hpp"
#include "common/fd.hpp"
#include "common/identifier.hpp"
#include "common/pid_file.hpp"

namespace genapp::agent {

class TaskFiles {
 public:
  // Makes the folder in RUN_DIR/agent if need be. Throws common::Error.
  explicit TaskFiles(const common::Directory& run_dir);

  // Writes the first line; the child is to append the second to what is returned. Throws
  // common::Error, leaving no file.
  common::Fd begin(const common::Tag& tag, Task task) const;
  // It has ended. Throws common::Error.
  void end(const common::Tag& tag) const;

  struct Left {
    Task task{};
    std::optional<common::PidRecord> process{};  // nothing: none was started
  };
  // What an earlier agent has begun and not seen the end of; nothing when there is no such, or no
  // first line: then nothing was started. Throws common::Error.
  std::optional<Left> read(const common::Tag& tag) const;

 private:
  common::Directory folder_;
};

}  // namespace genapp::agent
