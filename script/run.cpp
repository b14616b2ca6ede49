#include "script/run.hpp"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "common/family.hpp"
#include "common/process.hpp"

namespace genapp::script {
namespace {

using common::Child;
using common::Clock;
using common::Error;
using common::Fd;

constexpr auto kPause = std::chrono::milliseconds(20);
// After KILL.
constexpr auto kEndTime = std::chrono::seconds(5);
constexpr int kPipeBytes = 1 << 20;
constexpr std::size_t kReadBytes = 1 << 16;
// What is read after the script's end from a pipe that somebody else still fills.
constexpr std::size_t kMostAfterwards = 4 * kPipeBytes;

struct Pipe {
  Fd read;
  Fd write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw common::system_error("pipe", errno);
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  // Only ours: a script expects its own end to block. A larger pipe is faster; a limit may forbid
  // it.
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(pipe.read.get(), F_SETPIPE_SZ, kPipeBytes);
  return pipe;
}

// One of the script's two streams.
class Reader {
 public:
  Reader(Stream stream, Fd pipe, Output& output)
      : stream_(stream), pipe_(std::move(pipe)), output_(output) {}

  bool open() const { return static_cast<bool>(pipe_); }
  const Fd& pipe() const { return pipe_; }

  // What is there now, at most `most` bytes; closes at the end.
  void read(std::size_t most) {
    static std::array<char, kReadBytes> buffer;
    for (std::size_t got = 0; open() && got < most;) {
      const ssize_t n = ::read(pipe_.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) return pipe_.close();
      output_.put(stream_, {buffer.data(), static_cast<std::size_t>(n)});
      got += static_cast<std::size_t>(n);
    }
  }

 private:
  Stream stream_;
  Fd pipe_;
  Output& output_;
};

int poll_milliseconds(Clock::duration left) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<long long>(count, 0, 1'000'000'000));
}

[[noreturn]] void drop_output(std::vector<Fd> pipes) {
  ::setsid();
  ::prctl(PR_SET_NAME, "genapp-drop");
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(stream);
  // Everything else, the turn's lock too, must not be held for so long.
  unsigned next = 0;
  for (Fd& pipe : pipes) {
    ::dup2(pipe.get(), static_cast<int>(next));
    ::fcntl(static_cast<int>(next++), F_SETFL, 0);
  }
  ::close_range(next, ~0u, 0);
  static std::array<char, kReadBytes> buffer;
  std::array<pollfd, 2> items{};
  for (unsigned i = 0; i < next; ++i) items.at(i) = {static_cast<int>(i), POLLIN, 0};
  for (unsigned open = next; open > 0;) {
    if (::poll(items.data(), next, -1) < 0 && errno != EINTR) ::_exit(1);
    for (unsigned i = 0; i < next; ++i) {
      if (items.at(i).revents == 0) continue;
      if (::read(items.at(i).fd, buffer.data(), buffer.size()) > 0) continue;
      items.at(i) = {-1, 0, 0};
      --open;
    }
  }
  ::_exit(0);
}

class Run {
 public:
  Run(const Job& job, Output& output)
      : job_(job), output_(output), signals_(take_end_signals()), began_(Clock::now()) {}

  Result run() {
    others_ = common::adopt_orphans();
    try {
      start();
    } catch (const common::StartError& problem) {
      return {How::could_not_start, 0, problem.what()};
    }
    tell_started();
    Result result = await_end();
    if (job_.leftovers == Leftovers::keep && result.how != How::timed_out &&
        result.how != How::interrupted) {
      hand_over_output();
    }
    output_.finish();
    return result;
  }

 private:
  void start() {
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    common::Spawn program = job_.program;
    program.out = out.write.get();
    program.err = err.write.get();
    child_.emplace(common::spawn(program));
    others_.push_back(child_->pid());
    readers_.emplace_back(Stream::out, std::move(out.read), output_);
    readers_.emplace_back(Stream::err, std::move(err.read), output_);
  }

  void tell_started() {
    if (!job_.started) return;
    try {
      job_.started(child_->pid());
    } catch (...) {
      end_all({How::interrupted});
      throw;
    }
  }

  Clock::duration left() const { return began_ + job_.timeout - Clock::now(); }

  // Reads until the script has ended, `limit` at most. True when it has; sets interrupted_ and
  // returns early for a signal.
  bool read_until_end(Clock::duration limit) {
    const auto deadline = Clock::now() + limit;
    for (;;) {
      std::vector<pollfd> items{{child_->pidfd().get(), POLLIN, 0}};
      if (!interrupted_) items.push_back({signals_.get(), POLLIN, 0});
      // poll(2) passes over a negative descriptor.
      const int watched = interrupted_ ? -1 : watched_;
      items.push_back({watched, POLLIN, 0});
      const std::size_t watched_at = items.size() - 1;
      for (const Reader& reader : readers_) {
        if (reader.open()) items.push_back({reader.pipe().get(), POLLIN, 0});
      }
      const int ready =
          ::poll(items.data(), items.size(), poll_milliseconds(deadline - Clock::now()));
      if (ready < 0 && errno != EINTR) throw common::system_error("waiting for the script", errno);
      for (Reader& reader : readers_) reader.read(kReadBytes);
      if (ready > 0 && items.front().revents != 0) return true;
      if (ready > 0 && items.at(watched_at).revents != 0) look_at_watched();
      if (note_signal()) return false;
      if (Clock::now() >= deadline) return false;
    }
  }

  // It is told of once.
  void look_at_watched() {
    watched_ = -1;
    // From here on like a signal that we have sent ourselves.
    if (job_.on_watched()) ::raise(SIGTERM);
  }

  bool note_signal() {
    signalfd_siginfo info{};
    while (!interrupted_ && ::read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGHUP && job_.on_hup) {
        job_.on_hup();
      } else {
        interrupted_ = static_cast<int>(info.ssi_signo);
        return true;
      }
    }
    return false;
  }

  Result await_end() {
    if (!read_until_end(left())) return end_all(why_ended());
    if (job_.leftovers == Leftovers::await && !await_leftovers()) return end_all(why_ended());
    if (job_.leftovers == Leftovers::end) end_leftovers();
    read_rest();
    const common::Ending ending = child_->reap();
    return {ending.signalled ? How::signalled : How::exited, ending.number};
  }

  Result why_ended() const {
    if (interrupted_) return {How::interrupted, *interrupted_};
    return {How::timed_out};
  }

  // True when nothing is left.
  bool await_leftovers() {
    while (common::has_children(others_)) {
      if (note_signal() || left() <= Clock::duration::zero()) return false;
      ::poll(nullptr, 0, poll_milliseconds(std::min<Clock::duration>(kPause, left())));
      for (Reader& reader : readers_) reader.read(kReadBytes);
    }
    return true;
  }

  // TERM for its group, then KILL for everything. The leader is reaped last: until then the group's
  // number is nobody else's.
  Result end_all(const Result& why) {
    if (job_.kill_after > Clock::duration::zero()) {
      ::kill(-child_->pid(), SIGTERM);
      const auto deadline = Clock::now() + job_.kill_after;
      while (Clock::now() < deadline &&
             !(read_until_end(std::min<Clock::duration>(kPause, deadline - Clock::now())) &&
               !common::has_children(others_))) {
        // A leader that has ended is no reason to look without a pause.
        if (child_->wait(Clock::duration::zero())) ::poll(nullptr, 0, poll_milliseconds(kPause));
      }
    }
    ::kill(-child_->pid(), SIGKILL);
    // What the leader has started is ours only once it has ended.
    if (!child_->wait(kEndTime)) throw not_ended();
    end_leftovers();
    read_rest();
    child_->reap();
    return why;
  }

  void end_leftovers() {
    if (!common::end_children(others_, kEndTime)) throw not_ended();
  }

  Error not_ended() const {
    return Error("processes of the script " + job_.program.argv.front() +
                 " do not end, not even by KILL: see the children of process " +
                 std::to_string(::getpid()));
  }

  void read_rest() {
    for (Reader& reader : readers_) reader.read(kMostAfterwards);
  }

  void hand_over_output() {
    std::vector<Fd> pipes;
    for (const Reader& reader : readers_) {
      if (reader.open()) pipes.emplace_back(::fcntl(reader.pipe().get(), F_DUPFD_CLOEXEC, 3));
    }
    if (pipes.empty()) return;
    const pid_t pid = ::fork();
    if (pid == 0) drop_output(std::move(pipes));
    // Without it, what is kept may get a SIGPIPE when it next prints; nothing worse.
  }

  const Job& job_;
  Output& output_;
  Fd signals_;
  Clock::time_point began_;
  common::Others others_;  // the children that were there before, and the script itself
  std::optional<Child> child_;
  std::vector<Reader> readers_;
  std::optional<int> interrupted_;
  int watched_ = job_.watched;
};

}  // namespace

Fd take_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw common::system_error("signalfd", errno);
  return fd;
}

Result run(const Job& job, Output& output) { return Run(job, output).run(); }

}  // namespace genapp::script
