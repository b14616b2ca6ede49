#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/fd.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "lbhc/control.hpp"
#include "lbhc/control_socket.hpp"

namespace genapp::lbhc {
namespace {

using common::Clock;
using common::Error;
using common::Fd;

constexpr std::size_t kMostAnswerBytes = 16 * 1024;
constexpr int kPauseMilliseconds = 5;

std::string who(const common::Directory& run_dir, const common::Id& id) {
  return "the daemon at " + run_dir.full(common::paths::sock_name(id));
}

Fd connect_to(const common::Directory& run_dir, const common::Id& id, Clock::time_point deadline) {
  const sockaddr_un address = socket_address(run_dir, common::paths::sock_name(id));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw common::system_error("control socket", errno);
  for (;;) {
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      return fd;
    }
    // EAGAIN: the backlog is full (unix(7)), as when the daemon hangs.
    if (errno != EAGAIN && errno != EINTR) {
      throw common::system_error("connecting to " + who(run_dir, id), errno);
    }
    if (Clock::now() >= deadline) {
      throw Error(who(run_dir, id) + " does not accept connections: it hangs");
    }
    ::poll(nullptr, 0, kPauseMilliseconds);
  }
}

// False at the deadline.
bool wait_readable(const Fd& fd, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd item{fd.get(), POLLIN, 0};
    const int n = ::poll(&item, 1, static_cast<int>(std::clamp<long long>(left, 0, 60'000)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) throw common::system_error("control socket", errno);
    if (Clock::now() >= deadline) return false;
  }
}

std::string read_answer(const Fd& fd, Clock::time_point deadline, const std::string& name) {
  std::string answer;
  char buffer[2048];
  while (answer.size() < kMostAnswerBytes && !answer.ends_with('\n')) {
    if (!wait_readable(fd, deadline)) throw Error(name + " did not answer in time: it hangs");
    const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) throw common::system_error("answer of " + name, errno);
    if (n == 0) break;
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  return answer;
}

Status ask(const common::Directory& run_dir, const common::Id& id, const std::string& request,
           Clock::duration timeout) {
  const auto deadline = Clock::now() + timeout;
  const std::string name = who(run_dir, id);
  const Fd fd = connect_to(run_dir, id, deadline);
  // A request fits a fresh socket's buffer: it is taken whole or not at all.
  while (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) throw common::system_error("asking " + name, errno);
  }
  const std::string answer = read_answer(fd, deadline, name);
  const auto status = parse_status(answer);
  if (!status || status->id != id.text()) {
    throw Error(name + " answered " + common::quoted(answer) + ", which is no status");
  }
  return *status;
}

}  // namespace

Status ask_status(const common::Directory& run_dir, const common::Id& id, Clock::duration timeout) {
  return ask(run_dir, id, "status\n", timeout);
}

Status ask_drain(const common::Directory& run_dir, const common::Id& id, Clock::duration drain,
                 Clock::duration timeout) {
  return ask(run_dir, id, "drain " + common::seconds_text(drain) + "\n", timeout);
}

Status ask_ignore(const common::Directory& run_dir, const common::Id& id, Clock::duration ignore,
                  Clock::duration timeout) {
  return ask(run_dir, id, "ignore " + common::seconds_text(ignore) + "\n", timeout);
}

Status ask_check(const common::Directory& run_dir, const common::Id& id, Clock::duration lease,
                 Clock::duration timeout) {
  return ask(run_dir, id, "check " + common::seconds_text(lease) + "\n", timeout);
}

Status ask_own_probe(const common::Directory& run_dir, const common::Id& id, std::uint16_t port,
                     Clock::duration timeout) {
  return ask(run_dir, id, "own-probe " + std::to_string(port) + "\n", timeout);
}

}  // namespace genapp::lbhc
