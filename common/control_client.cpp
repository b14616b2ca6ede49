#include "common/control_client.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "common/control_socket.hpp"
#include "common/error.hpp"
#include "common/fd.hpp"

namespace genapp::common {
namespace {

constexpr int kWritePauseMilliseconds = 5;

Fd connect_to(const Directory& dir, const std::string& name, Clock::time_point deadline) {
  const sockaddr_un address = socket_address(dir, name);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw system_error("control socket", errno);
  for (;;) {
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return fd;
    }
    // EAGAIN: the backlog is full (unix(7)), as when the daemon hangs.
    if (errno != EAGAIN && errno != EINTR) {
      throw system_error("connecting to " + control_peer(dir, name), errno);
    }
    if (Clock::now() >= deadline) {
      throw Error(control_peer(dir, name) + " does not accept connections: it hangs");
    }
    ::poll(nullptr, 0, kWritePauseMilliseconds);
  }
}

// False at the deadline.
bool wait_readable(const Fd& fd, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd item{fd.get(), POLLIN, 0};
    const int n = ::poll(&item, 1, static_cast<int>(std::clamp<long long>(left, 0, 60'000)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) throw system_error("control socket", errno);
    if (Clock::now() >= deadline) return false;
  }
}

std::string read_answer(const Fd& fd, Clock::time_point deadline, const std::string& peer,
                        std::size_t most_bytes) {
  std::string answer;
  char buffer[4096];
  while (answer.size() < most_bytes && !answer.ends_with('\n')) {
    if (!wait_readable(fd, deadline)) throw Error(peer + " did not answer in time: it hangs");
    const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) throw system_error("answer of " + peer, errno);
    if (n == 0) break;
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  return answer;
}

}  // namespace

std::string control_peer(const Directory& dir, const std::string& name) {
  return "the daemon at " + dir.full(name);
}

std::string ask_control(const Directory& dir, const std::string& name, std::string_view request,
                        Clock::duration timeout, std::size_t most_bytes) {
  const auto deadline = Clock::now() + timeout;
  const std::string peer = control_peer(dir, name);
  const Fd fd = connect_to(dir, name, deadline);
  // A request fits a fresh socket's buffer: it is taken whole or not at all.
  while (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) throw system_error("asking " + peer, errno);
  }
  return read_answer(fd, deadline, peer, most_bytes);
}

}  // namespace genapp::common
