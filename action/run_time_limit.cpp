#include "action/run_time_limit.hpp"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>

#include "common/error.hpp"
#include "common/exit_code.hpp"

namespace genapp::action {
namespace {

// Made before it is needed: a signal's handler may not allocate.
std::array<char, 128> line;
int line_size = 0;

extern "C" void give_up(int) {
  [[maybe_unused]] const ssize_t written =
      ::write(STDERR_FILENO, line.data(), static_cast<std::size_t>(line_size));
  ::_exit(static_cast<int>(common::ExitCode::failed));
}

}  // namespace

void limit_quick_check(common::Clock::duration limit) {
  line_size = ::snprintf(line.data(), line.size(),
                         "quickCheck: error: no result within %s s, so it counts as not healthy\n",
                         common::seconds_text(limit).c_str());
  struct sigaction action {};
  action.sa_handler = give_up;
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(limit).count();
  const itimerval timer{{0, 0}, {micros / 1'000'000, micros % 1'000'000}};
  // A caller may have left the signal blocked.
  if (::sigaction(SIGALRM, &action, nullptr) != 0 ||
      ::sigprocmask(SIG_UNBLOCK, &alarm, nullptr) != 0 ||
      ::setitimer(ITIMER_REAL, &timer, nullptr) != 0) {
    throw common::system_error("setting the time limit", errno);
  }
}

}  // namespace genapp::action
