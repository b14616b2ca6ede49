#include "common/notify.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "common/fd.hpp"

namespace genapp::common {

void notify_systemd(std::string_view lines, NotifyWait wait) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = path ? std::strlen(path) : 0;
  if (length == 0 || length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // the abstract name space
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  // Its queue is full while systemd stands still, and for ever once it has frozen.
  const timeval limit{1, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int flags = MSG_NOSIGNAL | (wait == NotifyWait::none ? MSG_DONTWAIT : 0);
  // Not answered by anybody: when systemd does not hear us it will act on its own time-out.
  [[maybe_unused]] const ssize_t sent = ::sendto(fd.get(), lines.data(), lines.size(), flags,
                                                 reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace genapp::common
