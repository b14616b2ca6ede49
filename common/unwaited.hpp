#pragma once

// Lines for those who may not read them. A daemon must not stand still because the reader of its
// standard error or syslog's daemon does: what they don't take at once is lost, and how many lines
// were is told with the next one that they take.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "common/fd.hpp"

namespace genapp::common {

// A descriptor of this process's own, such as standard error. Owned by others.
class UnwaitedLines {
 public:
  // The line, with its line feed, that tells how many were lost.
  using LostLine = std::function<std::string(std::size_t lines)>;
  explicit UnwaitedLines(int fd, LostLine lost_line = nullptr);
  // A line with its line feed, at most 4096 bytes: as much as a pipe takes whole or not at all
  // (pipe(7), PIPE_BUF).
  void put(std::string_view line);

 private:
  bool write(std::string_view line) const;

  int fd_;
  LostLine lost_line_;
  std::size_t lost_ = 0;
};

// syslog(3), which would wait, without waiting.
class UnwaitedSyslog {
 public:
  explicit UnwaitedSyslog(std::string_view program) : program_(program) {}
  // `severity`: LOG_ERR, LOG_WARNING, …; the facility is LOG_DAEMON. Connects when need be.
  void put(int severity, std::string_view text);

 private:
  bool send(int severity, std::string_view text);
  bool send_datagram(std::string_view datagram);

  std::string program_;
  Fd socket_{};
  std::size_t lost_ = 0;
};

}  // namespace genapp::common
