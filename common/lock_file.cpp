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
constexpr int kPauseMilliseconds = 1;

// Whether the open file is still the one that the name leads to.
bool is_current(const Fd& file, int dir_fd, const std::string& name) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.get(), &opened) == 0 &&
         ::fstatat(dir_fd, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
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
  const auto deadline = Clock::now() + kLongestWait;
  for (;;) {
    Fd file(::openat(dir.fd(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | create_flag, 0600));
    if (!file && errno == ENOENT && !create_flag) return std::nullopt;
    if (!file && errno == ELOOP) throw Error(dir.full(name) + " is a symbolic link: remove it");
    if (!file) throw system_error("lock file " + dir.full(name), errno);
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
