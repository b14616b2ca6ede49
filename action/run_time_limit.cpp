#include "action/run_time_limit.hpp"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"

namespace genapp::action {
namespace {

constexpr timeval kLimit{4, 500'000};

extern "C" void give_up(int) {
  static constexpr char kLine[] =
      "quickCheck: error: no result within 4.5 s, so it counts as not healthy\n";
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kLine, sizeof kLine - 1);
  ::_exit(static_cast<int>(common::ExitCode::failed));
}

}  // namespace

void limit_quick_check() {
  struct sigaction action {};
  action.sa_handler = give_up;
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  const itimerval timer{{0, 0}, kLimit};
  // A caller may have left the signal blocked.
  if (::sigaction(SIGALRM, &action, nullptr) != 0 ||
      ::sigprocmask(SIG_UNBLOCK, &alarm, nullptr) != 0 ||
      ::setitimer(ITIMER_REAL, &timer, nullptr) != 0) {
    throw common::system_error("setting the time limit", errno);
  }
}

}  // namespace genapp::action
