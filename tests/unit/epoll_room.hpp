#pragma once

// Whether this executable's epoll has room for more: its own epoll_ctl stands in for libc's. The
// kernel's limit, fs.epoll.max_user_watches, is the whole machine's.

namespace genapp::tests {

// While it lives the event loops that there were before it can watch nothing more (ENOSPC).
class NoRoomInEpoll {
 public:
  NoRoomInEpoll();
  ~NoRoomInEpoll();
  NoRoomInEpoll(const NoRoomInEpoll&) = delete;
  NoRoomInEpoll& operator=(const NoRoomInEpoll&) = delete;
};

}  // namespace genapp::tests
