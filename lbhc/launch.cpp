#include "lbhc/launch.hpp"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/detach.hpp"
#include "common/error.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "common/start_channel.hpp"
#include "lbhc/stop.hpp"

namespace genapp::lbhc {
namespace {

using common::Clock;
using common::Error;
using common::Fd;
using common::StartWord;

constexpr char kProgram[] = "lbhcd";
// Beyond HC_TIMEOUT: what a loaded machine may need to start and to clean up.
constexpr auto kSlack = std::chrono::seconds(10);
constexpr auto kHearingTime = std::chrono::seconds(2);

constexpr char kStarterGone[] = "restore ended before it took note of the start";
constexpr char kStoppedMeanwhile[] = "the daemon was stopped while it was being started";

// The daemon's side.

// The daemon takes `channel` over; `report` is a copy of it to speak on, until it is ready.
void be_daemon(const Launch& launch, Fd channel, Fd& report) {
  common::detach(kProgram, {channel.get(), report.get(), launch.run_dir.fd()});
  common::log::for_daemon(kProgram, launch.log);
  DaemonSetup setup{
      .run_dir = launch.run_dir,
      .tag = launch.tag,
      .id = launch.id,
      .config = launch.config,
      .wait_first_probe = launch.wait_first_probe,
      .drain_on_term = false,
      .confinement = Confinement{launch.user, launch.log.file},
      .before_start = launch.before_start,
      .ready =
          [&report] {
            common::send_start_message(report.get(), {StartWord::ready, ""}, kStarterGone);
            report.close();
          },
      .ended = [](DaemonSetup::End) {},
      .starter = std::move(channel),
  };
  run_daemon(std::move(setup));
}

[[noreturn]] void run_child(const Launch& launch, Fd channel) {
  Fd report(::fcntl(channel.get(), F_DUPFD_CLOEXEC, 0));
  const auto fail = [&report](StartWord word, const char* why) {
    common::log::error(why);
    try {
      if (report) common::send_start_message(report.get(), {word, why}, kStarterGone);
    } catch (const Error&) {  // nobody listens any more
    }
    ::_exit(1);
  };
  try {
    be_daemon(launch, std::move(channel), report);
  } catch (const DaemonIsRunning& problem) {
    fail(StartWord::already_running, problem.what());
  } catch (const std::exception& problem) {
    fail(StartWord::failed, problem.what());
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

void take_note(const Launch& launch, const Child& child, const Fd& channel) {
  const auto lock = common::LockFile::acquire(launch.run_dir, common::paths::lock_name(launch.id));
  // Both: a process that dies gives its locks back before its pidfd tells of its end, so a remove
  // may have been and gone while the child still looks alive; and the lock may be another daemon's.
  if (!child.alive() || !common::is_alive(launch.run_dir, launch.id)) {
    throw Error(kStoppedMeanwhile);
  }
  launch.take_note();
  common::send_start_message(channel.get(), {StartWord::counts, ""}, kStoppedMeanwhile);
}

void await_start(const Launch& launch, Child& child, Fd& channel) {
  const auto message =
      common::receive_start_message(channel, Clock::now() + launch.config.hc_timeout + kSlack);
  if (message && message->word == StartWord::ready) {
    take_note(launch, child, channel);
    // End of file: the daemon has heard that it counts, and says from now on that it serves. One
    // that is stopped just now is quickCheck's to find.
    common::receive_start_message(channel, Clock::now() + kHearingTime);
    return child.release();
  }
  channel.close();
  child.end();
  if (!message) {
    throw Error("the daemon ended, or hung, before it could say why: see its log");
  }
  if (message->word == StartWord::already_running) throw DaemonIsRunning(message->text);
  throw Error(message->text);
}

}  // namespace

void launch_daemon(const Launch& launch) {
  auto [ours, theirs] = common::StartChannel::make();
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
