#include "tests/unit/epoll_room.hpp"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <system_error>

namespace genapp::tests {
namespace {

// Descriptors of epoll. Of a thread: tests use no other.
thread_local std::set<int> full;

std::set<int> present_epolls() {
  std::set<int> epolls;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) == "anon_inode:[eventpoll]") {
      epolls.insert(std::stoi(entry.path().filename()));
    }
  }
  return epolls;
}

}  // namespace

NoRoomInEpoll::NoRoomInEpoll() { full = present_epolls(); }
NoRoomInEpoll::~NoRoomInEpoll() { full.clear(); }

}  // namespace genapp::tests

extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  if (operation == EPOLL_CTL_ADD && genapp::tests::full.contains(epoll)) {
    errno = ENOSPC;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_epoll_ctl, epoll, operation, fd, event));
}
