#include "ctl/drill/filler.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <string_view>
#include <vector>

#include "common/error.hpp"

namespace genapp::ctl::drill {
namespace {

constexpr std::size_t kLargeStep = 256 * 1024;
constexpr std::size_t kSmallStep = 4096;  // a page: what tmpfs gives out

}  // namespace

std::string why_not_fill(const Space& space, const std::string& path) {
  if (!space.own || !space.tmpfs) {
    return path +
           " is not a tmpfs of its own, so that filling it could hurt others: mount one there "
           "(mount -t tmpfs -o size=1m,mode=0755 tmpfs " +
           path + ") while the resource is out of service";
  }
  if (space.free_bytes > kMostFill) {
    return path +
           " has more than 64 MiB free, and filling it would take that memory: mount it "
           "with a smaller size";
  }
  return "";
}

Space space_of(const common::Directory& run_dir) {
  struct stat here {};
  struct stat above {};
  struct statfs system {};
  if (::fstat(run_dir.fd(), &here) != 0 || ::fstatat(run_dir.fd(), "..", &above, 0) != 0 ||
      ::fstatfs(run_dir.fd(), &system) != 0) {
    throw common::system_error("looking at the file system of " + run_dir.path(), errno);
  }
  return {.own = here.st_dev != above.st_dev,
          .tmpfs = system.f_type == TMPFS_MAGIC,
          .free_bytes = static_cast<std::uint64_t>(system.f_bavail) *
                        static_cast<std::uint64_t>(system.f_bsize)};
}

Filler::Filler(const common::Directory& run_dir)
    : file_(::openat(run_dir.fd(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)) {
  const std::string what = "filling " + run_dir.path();
  if (!file_) throw common::system_error(what, errno);
  const std::vector<char> zeros(kLargeStep);
  std::size_t step = kLargeStep;
  for (;;) {
    const ssize_t n = ::write(file_.get(), zeros.data(), step);
    if (n > 0) {
      bytes_ += static_cast<std::uint64_t>(n);
    } else if (errno != ENOSPC && errno != EINTR) {
      throw common::system_error(what, errno);
    } else if (errno == ENOSPC && step == kSmallStep) {
      return;
    } else if (errno == ENOSPC) {
      step = kSmallStep;
    }
    // The file system was small when it was looked at, and may have been made larger since.
    if (bytes_ > 2 * kMostFill) throw common::Error(what + ": it does not get full");
  }
}

}  // namespace genapp::ctl::drill
