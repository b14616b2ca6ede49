#pragma once

// ID.pid: the daemon's pid and start time, and a kernel lock that the daemon holds from before it
// listens until its last instruction. The lock is the proof of life; no decision is taken from the
// number, and no signal is sent to it before it is proved to be ours (DESIGN.md).

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "common/directory.hpp"
#include "common/fd.hpp"
#include "common/identifier.hpp"
#include "common/lock_file.hpp"

namespace genapp::common {

// What the file holds: "PID START_TICKS\n".
struct PidRecord {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  friend bool operator==(const PidRecord&, const PidRecord&) = default;
};
std::optional<PidRecord> parse_pid_record(std::string_view text);
std::string format_pid_record(const PidRecord& record);

// The living daemon's hold on its file; owned by the daemon for its whole life.
class PidFile {
 public:
  // Takes the lock for the calling process and writes its record; ID.lock, held by the caller,
  // keeps anybody from unlinking meanwhile. Nothing when a living process holds it. Throws Error,
  // leaving no file.
  static std::optional<PidFile> take(const LockFile&, const Directory& run_dir, const Id& id);

  // Whether the name in the run directory still leads to the file that is locked here. False means
  // that somebody deleted or replaced it and that no remove could find this daemon any more.
  bool in_place(const Directory& run_dir, const Id& id) const;

 private:
  explicit PidFile(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

// A living daemon, proved: its pidfd was taken while its lock was seen held.
struct LivingProcess {
  pid_t pid = 0;
  Fd pidfd;
};

// Whether some process holds the lock of ID.pid. Takes no lock. Throws Error.
bool is_alive(const Directory& run_dir, const Id& id);

// The process that holds it; nothing when none does. Waits up to 1 s for a starter that has the
// lock and has not written its record yet. Throws Error when the lock is held by a process that
// can't be identified (another pid namespace).
std::optional<LivingProcess> find_living(const Directory& run_dir, const Id& id);

}  // namespace genapp::common
