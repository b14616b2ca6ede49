#pragma once

// A mutex between processes, in the form of a file: ID.lock, under which the files of one id are
// made, changed or taken away and under which the embedded registry's state is written; and the
// registry's own. Held for moments only, never while waiting for a probe or for a process to end,
// so that a remove can always cut in.
//
// Its holder alone may unlink the lock file; a waiter that then gets the lock of the unlinked file
// notices and starts over.

#include <optional>
#include <string>

#include "common/clock.hpp"
#include "common/directory.hpp"
#include "common/fd.hpp"

namespace genapp::common {

class LockFile {
 public:
  // Waits up to 5 s. Throws Error when it stays held or the file can't be made.
  static LockFile acquire(const Directory& dir, const std::string& name);

  // Nothing when the lock file does not exist: nothing it guards was ever made, or
  // everything was taken away. Otherwise as acquire().
  static std::optional<LockFile> acquire_if_there(const Directory& dir, const std::string& name);

  // Gives the lock back and takes the lock file away. Throws nothing: a file that stays is
  // harmless.
  void release_and_unlink() &&;

  // Gives the lock back at the process's last instruction instead of at the end of the scope.
  void keep_until_exit() && { file_.release(); }

 private:
  LockFile(const Directory& dir, std::string name, Fd file)
      : dir_fd_(dir.fd()), name_(std::move(name)), file_(std::move(file)) {}
  static std::optional<LockFile> acquire(const Directory& dir, const std::string& name,
                                         int create_flag);

  int dir_fd_;  // the caller's Directory outlives the lock
  std::string name_;
  Fd file_;
};

}  // namespace genapp::common
