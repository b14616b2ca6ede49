#include "ctl/drill/interruption.hpp"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "common/error.hpp"

namespace genapp::ctl::drill {
namespace {

using common::Clock;

// A signal that is ignored and blocked is not dropped: it would be read all the same.
bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// A shell leaves INT ignored in what it starts in the background; ignored, it never comes.
void take(int signal) {
  if (::signal(signal, SIG_DFL) == SIG_ERR) throw common::system_error("signal handler", errno);
}

}  // namespace

Interruption::Interruption() {
  take(SIGINT);
  take(SIGTERM);
  sigset_t read;
  sigemptyset(&read);
  sigaddset(&read, SIGINT);
  sigaddset(&read, SIGTERM);
  if (!is_ignored(SIGHUP)) sigaddset(&read, SIGHUP);
  sigset_t held = read;
  sigaddset(&held, SIGTSTP);
  if (::sigprocmask(SIG_BLOCK, &held, nullptr) != 0) {
    throw common::system_error("signal mask", errno);
  }
  signals_ = common::Fd(::signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw common::system_error("signalfd", errno);
}

std::optional<int> Interruption::signal() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (!signal_) signal_ = static_cast<int>(info.ssi_signo);
  }
  return signal_;
}

bool Interruption::wait(int fd, Clock::duration timeout) {
  const auto deadline = Clock::now() + timeout;
  const bool interrupted_before = signal().has_value();
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    std::array<pollfd, 2> items{pollfd{fd, POLLIN, 0}, pollfd{signals_.get(), POLLIN, 0}};
    const int n = ::poll(items.data(), items.size(),
                         static_cast<int>(std::clamp<long long>(left, 0, 60'000)));
    if (n < 0 && errno != EINTR) throw common::system_error("waiting", errno);
    if (n > 0 && items[0].revents != 0) return true;
    if (signal() && !interrupted_before) return false;
    if (Clock::now() >= deadline) return false;
  }
}

void unblock_interruptions() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

const char* signal_name(int signal) {
  return signal == SIGINT ? "INT" : signal == SIGTERM ? "TERM" : "HUP";
}

}  // namespace genapp::ctl::drill
