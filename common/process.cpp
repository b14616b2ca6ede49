#include "common/process.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "common/error.hpp"

namespace genapp::common {
namespace {

constexpr std::size_t kMostStatBytes = 1024;

// Empty when there is no such process.
std::string_view read_stat(pid_t pid, std::array<char, kMostStatBytes>& buffer) {
  char path[32];
  ::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(pid));
  const Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  ssize_t n = 0;
  do {
    n = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
  } while (n < 0 && errno == EINTR);
  return {buffer.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
}

// proc(5): a zombie, or one that is just being taken away.
bool is_ended_state(std::string_view stat) {
  const auto close = stat.rfind(") ");
  return close == std::string_view::npos || close + 2 >= stat.size() ||
         std::string_view("ZXx").find(stat[close + 2]) != std::string_view::npos;
}

}  // namespace

std::optional<std::uint64_t> start_ticks_from_stat(std::string_view stat) {
  const auto close = stat.rfind(')');
  if (close == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(close + 1);
  // What follows the name begins with field 3; the start time is field 22.
  for (int field = 3; field <= 22; ++field) {
    const auto begin = stat.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    stat.remove_prefix(begin);
    const auto end = stat.find(' ');
    // A field that nothing follows may be half of one.
    if (end == std::string_view::npos) return std::nullopt;
    if (field == 22) {
      std::uint64_t ticks = 0;
      const auto [stop, error] = std::from_chars(stat.data(), stat.data() + end, ticks);
      if (error != std::errc() || stop != stat.data() + end) return std::nullopt;
      return ticks;
    }
    stat.remove_prefix(end);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> start_ticks(pid_t pid) {
  std::array<char, kMostStatBytes> buffer;
  return start_ticks_from_stat(read_stat(pid, buffer));
}

bool runs(pid_t pid, std::uint64_t ticks) {
  std::array<char, kMostStatBytes> buffer;
  const std::string_view stat = read_stat(pid, buffer);
  return start_ticks_from_stat(stat) == ticks && !is_ended_state(stat);
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
