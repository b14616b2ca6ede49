#include "lbhc/launch.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "lbhc/stop.hpp"

namespace genapp::lbhc {
namespace {

using common::Clock;
using common::Error;
using common::Fd;

constexpr char kProgram[] = "lbhcd";
// Beyond HC_TIMEOUT: what a loaded machine may need to start and to clean up.
constexpr auto kSlack = std::chrono::seconds(10);
constexpr auto kHearingTime = std::chrono::seconds(2);
constexpr std::size_t kMostMessageBytes = 2048;

// What the daemon tells its starter, as the first byte of a message; a text may follow. The
// starter's one answer is kCounts: the start is noted and the daemon may live without it.
constexpr char kReady = 'R';
constexpr char kAlreadyRunning = 'A';
constexpr char kFailed = 'F';
constexpr char kCounts = 'C';

void send_message(int channel, char kind, const std::string& text) {
  const std::string message = kind + text.substr(0, kMostMessageBytes - 1);
  if (::send(channel, message.data(), message.size(), MSG_NOSIGNAL) < 0) {
    throw common::system_error("telling restore", errno);
  }
}

// The daemon's side.

void use_null_for_standard_streams() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) throw common::system_error("opening /dev/null", errno);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(null, stream) < 0) throw common::system_error("redirecting to /dev/null", errno);
  }
  if (null > STDERR_FILENO) ::close(null);
}

// Whatever the caller left open (a cluster manager's pipes) must not be held for the daemon's life.
void close_all_but(std::array<int, 3> keep_these) {
  unsigned first = STDERR_FILENO + 1;
  std::array<unsigned, keep_these.size()> keep{};
  std::copy(keep_these.begin(), keep_these.end(), keep.begin());
  std::sort(keep.begin(), keep.end());
  for (const unsigned fd : keep) {
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

void detach(std::array<int, 3> keep) {
  ::setsid();
  ::prctl(PR_SET_NAME, kProgram);
  reset_signals();
  ::umask(022);
  use_null_for_standard_streams();
  close_all_but(keep);
  if (::chdir("/") != 0) throw common::system_error("changing to /", errno);
}

// The daemon takes `channel` over; `report` is a copy of it to speak on, until it is ready.
void be_daemon(const Launch& launch, Fd channel, Fd& report) {
  detach({channel.get(), report.get(), launch.run_dir.fd()});
  common::log::for_daemon(kProgram, launch.log);
  DaemonSetup setup{
      .run_dir = launch.run_dir,
      .tag = launch.tag,
      .id = launch.id,
      .config = launch.config,
      .wait_first_probe = launch.wait_first_probe,
      .drain_on_term = false,
      .before_start = launch.before_start,
      .ready =
          [&report] {
            send_message(report.get(), kReady, "");
            report.close();
          },
      .ended = [](DaemonSetup::End) {},
      .starter = std::move(channel),
  };
  run_daemon(std::move(setup));
}

[[noreturn]] void run_child(const Launch& launch, Fd channel) {
  Fd report(::fcntl(channel.get(), F_DUPFD_CLOEXEC, 0));
  const auto fail = [&report](char kind, const char* why) {
    common::log::error(why);
    try {
      if (report) send_message(report.get(), kind, why);
    } catch (const Error&) {  // nobody listens any more
    }
    ::_exit(1);
  };
  try {
    be_daemon(launch, std::move(channel), report);
  } catch (const DaemonIsRunning& problem) {
    fail(kAlreadyRunning, problem.what());
  } catch (const std::exception& problem) {
    fail(kFailed, problem.what());
  }
  ::_exit(0);
}

// The starter's side.

class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {
    auto pidfd = common::open_pidfd(pid);
    if (pidfd) pidfd_ = std::move(*pidfd);
  }
  // A child that is not released ends here.
  ~Child() {
    if (pid_ > 0) end();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool alive() const { return !common::wait_for_end(pidfd_, Clock::duration::zero()); }
  void release() { pid_ = 0; }

  // It was told to undo everything, or has ended by itself; KILL only if it does not follow.
  void end() {
    if (!common::wait_for_end(pidfd_, kSlack)) common::send_signal(pidfd_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
  }

 private:
  pid_t pid_;
  Fd pidfd_;
};

// Nothing at end of file (the daemon died) and at the deadline.
std::optional<std::string> receive(const Fd& channel, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd item{channel.get(), POLLIN, 0};
    const int n = ::poll(&item, 1, static_cast<int>(std::clamp<long long>(left, 0, 1'000'000'000)));
    if (n < 0 && errno != EINTR) throw common::system_error("waiting for the daemon", errno);
    if (n > 0) {
      std::string message(kMostMessageBytes, '\0');
      const ssize_t size = ::recv(channel.get(), message.data(), message.size(), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return std::nullopt;
      message.resize(static_cast<std::size_t>(size));
      return message;
    }
    if (Clock::now() >= deadline) return std::nullopt;
  }
}

void take_note(const Launch& launch, const Child& child, const Fd& channel) {
  const auto lock = common::LockFile::acquire(launch.run_dir, common::paths::lock_name(launch.id));
  // Both: a process that dies gives its locks back before its pidfd tells of its end, so a remove
  // may have been and gone while the child still looks alive; and the lock may be another daemon's.
  if (!child.alive() || !common::is_alive(launch.run_dir, launch.id)) {
    throw Error("the daemon was stopped while it was being started");
  }
  launch.take_note();
  send_message(channel.get(), kCounts, "");
}

void await_start(const Launch& launch, Child& child, Fd& channel) {
  const auto message = receive(channel, Clock::now() + launch.config.hc_timeout + kSlack);
  const std::string text = message ? message->substr(1) : "";
  if (message && message->front() == kReady) {
    take_note(launch, child, channel);
    // End of file: the daemon has heard that it counts, and says from now on that it serves. One
    // that is stopped just now is quickCheck's to find.
    receive(channel, Clock::now() + kHearingTime);
    return child.release();
  }
  channel.close();
  child.end();
  if (!message) {
    throw Error("the daemon ended, or hung, before it could say why: see its log");
  }
  if (message->front() == kAlreadyRunning) throw DaemonIsRunning(text);
  throw Error(text);
}

}  // namespace

void launch_daemon(const Launch& launch) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw common::system_error("socket pair to the daemon", errno);
  }
  Fd ours(ends[0]);
  Fd theirs(ends[1]);
  // A caller may have left it ignored; then the child would be reaped behind our back.
  ::signal(SIGCHLD, SIG_DFL);
  const pid_t pid = ::fork();
  if (pid < 0) throw common::system_error("starting the daemon: fork", errno);
  if (pid == 0) {
    ours.close();
    run_child(launch, std::move(theirs));
  }
  theirs.close();
  try {
    Child child(pid);
    try {
      await_start(launch, child, ours);
    } catch (...) {
      ours.close();  // end of file: the daemon undoes itself, for which ~Child waits
      throw;
    }
  } catch (const DaemonIsRunning&) {
    throw;
  } catch (...) {
    // A daemon that was killed could not clean up.
    clean_up_if_dead(launch.run_dir, launch.id);
    throw;
  }
}

}  // namespace genapp::lbhc
