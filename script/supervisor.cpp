#include "script/supervisor.hpp"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "common/detach.hpp"
#include "common/family.hpp"
#include "common/lock_file.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "common/start_channel.hpp"
#include "script/app_file.hpp"
#include "script/line_limit.hpp"
#include "script/run.hpp"

namespace genapp::script {
namespace {

using common::Clock;
using common::Error;
using common::Fd;
using common::LockFile;
using common::StartMessage;
using common::StartWord;
namespace log = common::log;
namespace paths = common::paths;

constexpr char kProgram[] = "genapp-super";
// ID.pid's word.
constexpr char kWord[] = "supervisor";
constexpr auto kForEver = std::chrono::hours(24 * 365 * 100);
// Of the command's output, so that it can't fill the disk on which the log is.
constexpr std::size_t kLoggedBytes = 256 * 1024;
constexpr auto kLogPeriod = std::chrono::minutes(1);
// Beyond what the settings say: what a loaded machine needs to start or to end processes.
constexpr auto kSlack = std::chrono::seconds(10);
constexpr auto kEndTime = std::chrono::seconds(3);
constexpr auto kHearingTime = std::chrono::seconds(2);

constexpr char kStarterGone[] = "restore ended before it took note of the start";
constexpr char kStoppedMeanwhile[] = "the supervisor was stopped while the command was starting";

// Also of an AppRecord that was being written.
void unlink_files(const common::Directory& run_dir, const common::Id& id) {
  run_dir.unlink(paths::app_name(id));
  run_dir.unlink(paths::temporary_name(paths::app_name(id)));
  run_dir.unlink(paths::pid_name(id));
}

// The supervisor's side.

class Supervisor {
 public:
  Supervisor(const SupervisedStart& start, const Fd& channel)
      : start_(start), channel_(channel), pid_file_(take_pid_file(start, channel)) {}

  // Blocks until the command has ended.
  void run() {
    Output output({.log_bytes = std::numeric_limits<std::size_t>::max()},
                  [this](Stream stream, std::string_view line) { log_line(stream, line); });
    Result result;
    try {
      result = script::run({
                               .program = start_.program(common::own_run()),
                               .timeout = kForEver,
                               .kill_after = start_.kill_after,
                               .leftovers = Leftovers::end,
                               .started = [this](pid_t pid) { started(pid); },
                               .watched = channel_.get(),
                               .on_watched = [this] { return !hear_starter(Clock::now()); },
                               .on_hup = [] { log::reopen(); },
                           },
                           output);
    } catch (const std::exception& problem) {
      return ended(problem.what(), false);
    }
    const bool told_to = result.how == How::interrupted;
    const std::string text = result_text(result, kForEver);
    ended(result.how == How::could_not_start ? text
                                             : process_text() + " " + text + last_words(output),
          told_to);
  }

 private:
  // The starter holds the id's turn. So while it lives, no remove has been and gone.
  static common::PidFile take_pid_file(const SupervisedStart& start, const Fd& channel) {
    auto lock = LockFile::acquire(start.run_dir, paths::lock_name(start.id));
    pollfd item{channel.get(), POLLIN, 0};
    if (::poll(&item, 1, 0) != 0) {
      std::move(lock).release_and_unlink();
      throw Error(kStarterGone);
    }
    auto file = common::PidFile::take(lock, start.run_dir, paths::pid_name(start.id), kWord);
    if (!file) throw Error("it is already running");
    start.run_dir.unlink(paths::app_name(start.id));
    return std::move(*file);
  }

  void started(pid_t pid) {
    const auto ticks = common::start_ticks(pid);
    if (!ticks) throw Error("can't read /proc/" + std::to_string(pid) + "/stat");
    app_.process = {pid, *ticks};
    write_app_record(start_.run_dir, start_.id, app_);
    common::send_start_message(channel_.get(), {StartWord::ready, ""}, kStarterGone);
    log::info("\"" + start_.tag.text() + "\" runs as process " + std::to_string(pid));
  }

  // True when the start counts, false when nobody is left who could say so.
  bool hear_starter(Clock::time_point deadline) {
    const auto message = common::receive_start_message(channel_, deadline);
    counts_ = message && message->word == StartWord::counts;
    return counts_;
  }

  std::string process_text() const { return "process " + std::to_string(app_.process.pid); }

  void ended(const std::string& text, bool told_to) {
    if (!counts_ && !told_to) {
      try {
        common::send_start_message(channel_.get(), {StartWord::failed, text}, kStarterGone);
      } catch (const Error&) {  // it has taken note just now, or is gone
      }
      hear_starter(Clock::now() + kHearingTime);
    }
    const std::string line = "\"" + start_.tag.text() + "\": " + text;
    told_to ? log::info(line) : log::error(line);
    if (!counts_) return undo();
    app_.ended = text + ", at " + common::utc_text(common::WallClock::now());
    write_app_record(start_.run_dir, start_.id, app_);
  }

  // The pid file may go only under ID.lock, which is then kept to the very end: who gets it next
  // finds us gone.
  void undo() {
    auto lock = LockFile::acquire(start_.run_dir, paths::lock_name(start_.id));
    unlink_files(start_.run_dir, start_.id);
    std::move(lock).keep_until_exit();
  }

  void log_line(Stream stream, std::string_view line) {
    const auto verdict = limit_.take(line.size(), Clock::now());
    const std::string tag = "\"" + start_.tag.text() + "\"";
    if (verdict.dropped_before > 0) {
      log::warn(tag + ": " + std::to_string(verdict.dropped_before) +
                " lines of output were not logged");
    }
    if (verdict.log) {
      log::info(tag + " " + std::string(stream_name(stream)) + ": " + std::string(line));
    }
  }

  const SupervisedStart& start_;
  const Fd& channel_;
  common::PidFile pid_file_;
  AppRecord app_;
  bool counts_ = false;
  LineLimit limit_{kLoggedBytes, kLogPeriod};
};

[[noreturn]] void be_supervisor(const SupervisedStart& start, const Fd& channel) {
  try {
    common::detach(kProgram, {channel.get(), start.run_dir.fd()});
    log::for_daemon(kProgram, start.log);
    Supervisor supervisor(start, channel);
    supervisor.run();
    ::_exit(0);
  } catch (const std::exception& problem) {
    log::error("\"" + start.tag.text() + "\": " + problem.what());
    try {
      common::send_start_message(channel.get(), {StartWord::failed, problem.what()}, kStarterGone);
    } catch (const Error&) {  // nobody listens any more
    }
    ::_exit(1);
  }
}

// The starter's side.

// The supervisor, our child. One that is not released ends here, and undoes its start: its channel
// is closed by then.
class Started {
 public:
  Started(pid_t pid, Fd channel, Clock::duration kill_after)
      : pid_(pid), channel_(std::move(channel)), kill_after_(kill_after) {
    auto pidfd = common::open_pidfd(pid);
    if (pidfd) pidfd_ = std::move(*pidfd);
  }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;
  ~Started() {
    if (pid_ > 0) end();
  }

  const Fd& channel() const { return channel_; }
  bool alive() const { return !common::wait_for_end(pidfd_, Clock::duration::zero()); }
  void release() { pid_ = 0; }

 private:
  void end() {
    channel_.close();
    if (!common::wait_for_end(pidfd_, kill_after_ + kSlack)) common::send_signal(pidfd_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  pid_t pid_;
  Fd channel_;
  Clock::duration kill_after_;
  Fd pidfd_;
};

// Waits for a word of the supervisor, or a signal. Nothing at the deadline.
std::optional<StartMessage> await_word(const Fd& channel, const Fd& signals,
                                       Clock::time_point deadline) {
  for (;;) {
    std::array<pollfd, 2> items{pollfd{channel.get(), POLLIN, 0}, pollfd{signals.get(), POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready = ::poll(items.data(), items.size(),
                             static_cast<int>(std::clamp<long long>(left, 0, 1'000'000'000)));
    if (ready < 0 && errno != EINTR) throw common::system_error("waiting for the start", errno);
    if (ready > 0 && items[1].revents != 0) {
      throw Error("its start was ended, because this runner got a signal");
    }
    if (ready > 0) {
      auto message = common::receive_start_message(channel, deadline);
      if (message) return message;
      throw Error("its supervisor ended before it could say why: see its log");
    }
    if (Clock::now() >= deadline) return std::nullopt;
  }
}

void await_start(const SupervisedStart& start, Started& child, const Fd& signals) {
  auto word = await_word(child.channel(), signals, Clock::now() + kSlack);
  if (!word) throw Error("its supervisor does not answer: see its log");
  if (word->word == StartWord::ready) {
    word = await_word(child.channel(), signals, Clock::now() + start.started_after);
  }
  if (word) throw Error(word->text);
  const auto lock = LockFile::acquire(start.run_dir, paths::lock_name(start.id));
  // Both, as in lbhc/launch.cpp.
  if (!child.alive() || !common::is_alive(start.run_dir, start.id)) throw Error(kStoppedMeanwhile);
  start.take_note();
  common::send_start_message(child.channel().get(), {StartWord::counts, ""}, kStoppedMeanwhile);
  child.release();
}

void end_living(const common::LivingProcess& supervisor, Clock::duration kill_after) {
  common::send_signal(supervisor.pidfd, SIGTERM);
  if (common::wait_for_end(supervisor.pidfd, kill_after + kSlack)) return;
  log::warn("its supervisor (process " + std::to_string(supervisor.pid) +
            ") does not end: killing it");
  common::send_signal(supervisor.pidfd, SIGKILL);
  common::wait_for_end(supervisor.pidfd, kEndTime);
}

// What a killed supervisor has left.
void end_left(const common::Directory& run_dir, const common::Id& id) {
  const auto record = common::read_pid_record(run_dir, paths::pid_name(id));
  if (record && !common::end_carriers(common::run_of(*record), kEndTime)) {
    throw Error("processes of its command do not end, not even by KILL: see GENAPP_RUN=" +
                common::run_of(*record) + " in /proc/*/environ");
  }
}

// A supervisor that was killed could not clean up.
void clean_up_if_dead(const SupervisedStart& start) {
  try {
    if (common::is_alive(start.run_dir, start.id)) return;
    end_supervised(start.run_dir, start.id, Clock::duration::zero());
  } catch (const Error& problem) {
    log::error(problem.what());
  }
}

}  // namespace

void start_supervised(const SupervisedStart& start) {
  const Fd signals = take_end_signals();
  // What a killed supervisor has left is known by its record, which the new one overwrites.
  if (!common::is_alive(start.run_dir, start.id)) end_supervised(start.run_dir, start.id, {});
  auto [ours, theirs] = common::StartChannel::make();
  // A caller may have left it ignored; then the child would be reaped behind our back.
  ::signal(SIGCHLD, SIG_DFL);
  const pid_t pid = ::fork();
  if (pid < 0) throw common::system_error("starting the supervisor: fork", errno);
  if (pid == 0) {
    ours.close();
    be_supervisor(start, theirs);
  }
  theirs.close();
  try {
    Started child(pid, std::move(ours), start.kill_after);
    await_start(start, child, signals);
  } catch (...) {
    clean_up_if_dead(start);
    throw;
  }
}

void end_supervised(const common::Directory& run_dir, const common::Id& id,
                    Clock::duration kill_after) {
  // Again for one that was just beginning, whose starter was killed.
  for (int tries = 0; tries < 3; ++tries) {
    if (const auto living = common::find_living(run_dir, id)) end_living(*living, kill_after);
    const auto lock = LockFile::acquire(run_dir, paths::lock_name(id));
    if (common::is_alive(run_dir, id)) continue;
    end_left(run_dir, id);
    return unlink_files(run_dir, id);
  }
  throw Error("its supervisor does not end: see 'fuser " + run_dir.full(paths::pid_name(id)) + "'");
}

std::optional<std::string> why_not_running(const common::Directory& run_dir, const common::Id& id) {
  // In this order: a supervisor that ends writes how before it gives its lock back.
  const bool supervised = common::is_alive(run_dir, id);
  const auto app = read_app_record(run_dir, id);
  if (app && !app->ended.empty()) return "its " + app->ended;
  if (!supervised) {
    const std::string command = app ? "its process " + std::to_string(app->process.pid) : "it";
    return command + " does not run: its supervisor is gone, and the command with it";
  }
  if (!app) return "its command is just being started, or ended";
  if (common::runs(app->process.pid, app->process.start_ticks)) return std::nullopt;
  return "its process " + std::to_string(app->process.pid) +
         " has ended, and its supervisor has not said how";
}

}  // namespace genapp::script
