#include "common/process.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include <algorithm>
#include <charconv>

#include "common/error.hpp"

namespace genapp::common {

std::optional<std::uint64_t> start_ticks_from_stat(std::string_view stat) {
  const auto close = stat.rfind(')');
  if (close == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(close + 1);
  // What follows the name begins with field 3; the start time is field 22.
  for (int field = 3; field <= 22; ++field) {
    const auto begin = stat.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    stat.remove_prefix(begin);
    const auto end = std::min(stat.find(' '), stat.size());
    if (field == 22) {
      std::uint64_t ticks = 0;
      const auto [stop, error] = std::from_chars(stat.data(), stat.data() + end, ticks);
      if (error != std::errc() || stop == stat.data()) return std::nullopt;
      return ticks;
    }
    stat.remove_prefix(end);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> start_ticks(pid_t pid) {
  char path[32];
  ::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  const Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  char text[1024];
  const ssize_t n = ::read(file.get(), text, sizeof text);
  if (n <= 0) return std::nullopt;
  return start_ticks_from_stat(std::string_view(text, static_cast<std::size_t>(n)));
}

std::optional<Fd> open_pidfd(pid_t pid) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (fd) return fd;
  if (errno == ESRCH) return std::nullopt;
  throw system_error("pidfd_open of process " + std::to_string(pid), errno);
}

bool send_signal(const Fd& pidfd, int signal) {
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0) return true;
  if (errno == ESRCH) return false;
  throw system_error("sending signal " + std::to_string(signal), errno);
}

bool wait_for_end(const Fd& pidfd, Clock::duration timeout) {
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd item{pidfd.get(), POLLIN, 0};
    const int n = ::poll(&item, 1, static_cast<int>(std::clamp<long long>(left, 0, 1'000'000'000)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) throw system_error("waiting for a process", errno);
    if (Clock::now() >= deadline) return false;
  }
}

}  // namespace genapp::common
