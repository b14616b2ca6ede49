#include "ctl/watch.hpp"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"

namespace genapp::ctl {
namespace {

extern "C" void end_well(int) { ::_exit(static_cast<int>(common::ExitCode::ok)); }

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

void mask(int how) {
  const sigset_t signals = ending_signals();
  if (::sigprocmask(how, &signals, nullptr) != 0) throw common::system_error("signal mask", errno);
}

// Also for a caller that left the signals ignored or blocked, as a shell does with what it starts
// in the background.
void end_on_signals() {
  struct sigaction action {};
  action.sa_handler = end_well;
  if (::sigaction(SIGINT, &action, nullptr) != 0 || ::sigaction(SIGTERM, &action, nullptr) != 0) {
    throw common::system_error("signal handler", errno);
  }
  mask(SIG_UNBLOCK);
}

}  // namespace

void watch(std::chrono::milliseconds interval, const std::function<Block()>& look) {
  end_on_signals();
  for (;;) {
    const Block block = look();
    mask(SIG_BLOCK);
    print(block);
    mask(SIG_UNBLOCK);
    ::poll(nullptr, 0, static_cast<int>(interval.count()));
  }
}

}  // namespace genapp::ctl
