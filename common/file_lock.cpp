#include "common/file_lock.hpp"

#include <errno.h>
#include <fcntl.h>

#include "common/error.hpp"

namespace genapp::common {
namespace {

int lock_call(const Fd& file, int command, struct flock& lock) {
  int result = 0;
  do {
    result = ::fcntl(file.get(), command, &lock);
  } while (result != 0 && errno == EINTR);
  return result;
}

struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

bool try_lock(const Fd& file, const std::string& path) {
  struct flock lock = whole_file();
  if (lock_call(file, F_OFD_SETLK, lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  throw system_error("locking " + path, errno);
}

bool is_locked(const Fd& file, const std::string& path) {
  struct flock lock = whole_file();
  if (lock_call(file, F_OFD_GETLK, lock) != 0)
    throw system_error("asking for the lock of " + path, errno);
  return lock.l_type != F_UNLCK;
}

}  // namespace genapp::common
