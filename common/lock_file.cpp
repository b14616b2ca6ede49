#include "common/lock_file.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "common/error.hpp"
#include "common/file_lock.hpp"

namespace genapp::common {
namespace {

constexpr auto kLongestWait = std::chrono::seconds(5);
// What root may need between making the file and sharing it.
constexpr auto kSharingTime = std::chrono::milliseconds(100);
constexpr int kPauseMilliseconds = 1;

// Whether the open file is still the one that the name leads to.
bool is_current(const Fd& file, int dir_fd, const std::string& name) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.get(), &opened) == 0 &&
         ::fstatat(dir_fd, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

// In a directory that a group may write, the mutex is the group's too: daemons of that group and
// root must both be able to take it. Only root makes such files for others.
void share_with_group(const Fd& file, const Directory& dir) {
  struct stat folder {};
  struct stat info {};
  if (::geteuid() != 0 || ::fstat(dir.fd(), &folder) != 0 || !(folder.st_mode & S_IWGRP) ||
      folder.st_gid == 0 || ::fstat(file.get(), &info) != 0) {
    return;
  }
  // Nothing that a writer of the directory may have linked there.
  const bool own = S_ISREG(info.st_mode) && info.st_nlink == 1 && info.st_uid == 0;
  if (!own || (info.st_gid == folder.st_gid && (info.st_mode & 0777) == 0660)) return;
  // Failing, it stays root's: whoever can't open it then says so.
  if (::fchown(file.get(), 0, folder.st_gid) == 0) ::fchmod(file.get(), 0660);
}

}  // namespace

LockFile LockFile::acquire(const Directory& dir, const std::string& name) {
  return std::move(*acquire(dir, name, O_CREAT));
}

std::optional<LockFile> LockFile::acquire_if_there(const Directory& dir, const std::string& name) {
  return acquire(dir, name, 0);
}

std::optional<LockFile> LockFile::acquire(const Directory& dir, const std::string& name,
                                          int create_flag) {
  const auto began = Clock::now();
  const auto deadline = began + kLongestWait;
  for (;;) {
    Fd file(::openat(dir.fd(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | create_flag, 0600));
    if (!file && errno == ENOENT && !create_flag) return std::nullopt;
    if (!file && errno == ELOOP) throw Error(dir.full(name) + " is a symbolic link: remove it");
    if (!file && errno == EACCES && Clock::now() < began + kSharingTime) {
      ::poll(nullptr, 0, kPauseMilliseconds);
      continue;
    }
    if (!file) throw system_error("lock file " + dir.full(name), errno);
    share_with_group(file, dir);
    if (try_lock(file, dir.full(name)) && is_current(file, dir.fd(), name)) {
      return LockFile(dir, name, std::move(file));
    }
    if (Clock::now() >= deadline) {
      throw Error("lock file " + dir.full(name) + " has been held by another process for 5 s: " +
                  "see who with 'fuser " + dir.full(name) + "'");
    }
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
}

void LockFile::release_and_unlink() && {
  ::unlinkat(dir_fd_, name_.c_str(), 0);
  file_.close();
}

}  // namespace genapp::common
