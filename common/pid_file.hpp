#pragma once

// ID.pid: the daemon's pid and start time, and a kernel lock that the daemon holds from before it
// listens until its last instruction. The lock is the proof of life; no decision is taken from the
// number, and no signal is sent to it before it is proved to be ours (DESIGN.md).

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "common/directory.hpp"
#include "common/fd.hpp"
#include "common/identifier.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"

namespace genapp::common {

// Other files of the run directory are held in the same way by those who run scripts: they are
// named, ID.pid is meant where an id is given.

// What the file holds: "PID START_TICKS\n", or "PID START_TICKS WORD\n" with what the holder does.
struct PidRecord {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string word{};  // letters
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
  // With Record::wanted, a record that can't be written (a full file system) is done without: the
  // lock holds, and who looks for its holder is told that it can't be identified.
  enum class Record { needed, wanted };
  static std::optional<PidFile> take(const LockFile&, const Directory& run_dir,
                                     const std::string& name, const std::string& word = "",
                                     Record record = Record::needed);
  static std::optional<PidFile> take(const LockFile& lock, const Directory& run_dir, const Id& id) {
    return take(lock, run_dir, paths::pid_name(id));
  }

  // Whether the name in the run directory still leads to the file that is locked here. False means
  // that somebody deleted or replaced it and that no remove could find this daemon any more.
  bool in_place(const Directory& run_dir, const std::string& name) const;
  bool in_place(const Directory& run_dir, const Id& id) const {
    return in_place(run_dir, paths::pid_name(id));
  }

  // Makes the user its owner, for whom the calling process is about to become: a process is
  // believed to hold the file only as its owner (lock_holder.hpp). False, with errno, on failure.
  bool give_to(uid_t user) const;

  // Gives the lock back; the file stays, empty. Throws Error.
  void release() &&;

 private:
  explicit PidFile(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

// A living daemon, proved: its pidfd was taken while its lock was seen held, and the kernel says
// that one of its descriptors holds it (lock_holder.hpp).
struct LivingProcess {
  pid_t pid = 0;
  Fd pidfd;
  std::string word{};
};

// Whether some process holds the file's lock. Takes no lock. Throws Error.
bool is_alive(const Directory& run_dir, const std::string& name);
inline bool is_alive(const Directory& run_dir, const Id& id) {
  return is_alive(run_dir, paths::pid_name(id));
}

// The process that holds it; nothing when none does. Waits up to 1 s for a starter that has the
// lock and has not written its record yet. Throws Error when the lock is held by a process that
// can't be identified (another pid or time namespace).
std::optional<LivingProcess> find_living(const Directory& run_dir, const std::string& name);
inline std::optional<LivingProcess> find_living(const Directory& run_dir, const Id& id) {
  return find_living(run_dir, paths::pid_name(id));
}

// What the file says, whether anybody holds it or not; nothing when it is not there, half written,
// or neither root's nor the caller's: what the dead have left is ended by it. Throws Error.
std::optional<PidRecord> read_pid_record(const Directory& run_dir, const std::string& name);

}  // namespace genapp::common
