#include "common/unwaited.hpp"

#include <errno.h>
#include <paths.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace genapp::common {
namespace {

constexpr std::size_t kMostLineBytes = 4096;

std::string lost_text(std::size_t lines) {
  return std::to_string(lines) + " lines before this one were not taken in time and are lost";
}

// RFC 3164, 4.1.2: as syslog(3) writes it.
std::string timestamp() {
  const time_t now = ::time(nullptr);
  struct tm parts {};
  ::localtime_r(&now, &parts);
  std::array<char, 32> out{};
  return {out.data(), ::strftime(out.data(), out.size(), "%b %e %H:%M:%S", &parts)};
}

Fd connected() {
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, _PATH_LOG, sizeof _PATH_LOG);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd.close();
  }
  return fd;
}

}  // namespace

UnwaitedLines::UnwaitedLines(int fd, LostLine lost_line)
    : fd_(fd), lost_line_(std::move(lost_line)) {
  if (!lost_line_) lost_line_ = [](std::size_t lines) { return lost_text(lines) + "\n"; };
}

void UnwaitedLines::put(std::string_view line) {
  if (lost_ > 0 && write(lost_line_(lost_))) lost_ = 0;
  if (lost_ > 0 || !write(line)) ++lost_;
}

bool UnwaitedLines::write(std::string_view line) const {
  line = line.substr(0, kMostLineBytes);
  pollfd out{fd_, POLLOUT, 0};
  if (::poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) return false;
  ssize_t written = 0;
  do {
    written = ::write(fd_, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  return written >= 0;
}

void UnwaitedSyslog::put(int severity, std::string_view text) {
  if (lost_ > 0 && send(LOG_WARNING, lost_text(lost_))) lost_ = 0;
  if (lost_ > 0 || !send(severity, text)) ++lost_;
}

bool UnwaitedSyslog::send(int severity, std::string_view text) {
  return send_datagram("<" + std::to_string(LOG_DAEMON | severity) + ">" + timestamp() + " " +
                       program_ + "[" + std::to_string(::getpid()) + "]: " + std::string(text));
}

bool UnwaitedSyslog::send_datagram(std::string_view datagram) {
  const auto sent = [&] {
    return socket_ && ::send(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0;
  };
  if (sent()) return true;
  if (socket_ && errno == EAGAIN) return false;
  socket_ = connected();  // syslog's daemon has started, or started anew
  return sent();
}

}  // namespace genapp::common
