#include "common/detach.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "common/error.hpp"

namespace genapp::common {
namespace {

void use_null_for_standard_streams() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) throw system_error("opening /dev/null", errno);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(null, stream) < 0) throw system_error("redirecting to /dev/null", errno);
  }
  if (null > STDERR_FILENO) ::close(null);
}

void close_all_but(std::vector<int> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned first = STDERR_FILENO + 1;
  for (const int kept : keep) {
    const auto fd = static_cast<unsigned>(kept);
    if (fd > first) ::close_range(first, fd - 1, 0);
    first = std::max(first, fd + 1);
  }
  ::close_range(first, ~0u, 0);
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void detach(const char* name, std::initializer_list<int> keep) {
  ::setsid();
  ::prctl(PR_SET_NAME, name);
  reset_signals();
  ::umask(022);
  use_null_for_standard_streams();
  close_all_but(keep);
  if (::chdir("/") != 0) throw system_error("changing to /", errno);
}

}  // namespace genapp::common
