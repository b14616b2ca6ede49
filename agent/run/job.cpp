#include "agent/run/job.hpp"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string_view>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/process.hpp"

namespace genapp::agent {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Clock;
using common::Fd;
using Descriptor = asio::posix::stream_descriptor;

constexpr std::size_t kMostText = 4096;
constexpr off_t kMostFile = 1 << 20;
constexpr auto kLook = std::chrono::seconds(1);               // at the file's size
constexpr auto kLookForEnd = std::chrono::milliseconds(100);  // where that has no event
constexpr auto kAfterKill = std::chrono::seconds(5);  // then it is told even if it can't end

Fd make_file() {
  Fd file(::memfd_create("genapp-agent", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) throw common::system_error("memfd_create", errno);
  return file;
}

// The last of it.
std::string file_text(const Fd& file) {
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0) return "";
  std::string text(kMostText, '\0');
  const off_t from = std::max<off_t>(0, info.st_size - static_cast<off_t>(kMostText));
  const ssize_t n = ::pread(file.get(), text.data(), text.size(), from);
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

// "error" and "\"web\": exited with 3" of "2026-11-25T14:39:29.975Z restore[20630] error: "web":
// exited with 3": a line of genapp's own log (common/log.hpp). Nothing when it is none.
struct LogLine {
  std::string_view level;
  std::string_view text;
};
std::optional<LogLine> parse_log_line(std::string_view line) {
  const auto time = line.find("Z ");
  const auto process = line.find("] ");
  if (time == std::string_view::npos || process == std::string_view::npos || time > process) {
    return std::nullopt;
  }
  const std::string_view rest = line.substr(process + 2);
  const auto colon = rest.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  return LogLine{rest.substr(0, colon), rest.substr(colon + 2)};
}

// What tells most of what a program wrote: of genapp's own log the last error, else the last line
// but for what it says at the beginning and the end of every action.
std::string telling_line(std::string_view text) {
  std::string_view last;
  std::string_view error;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto log = parse_log_line(line);
    if (log) line = log->text;
    if (log && log->level == "error") error = line;
    if (log && (line.starts_with("BEGIN ") || line.starts_with("END "))) continue;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) last = line;
  }
  const std::string_view line = error.empty() ? last : error;
  const auto end = line.find_last_not_of(" \t\r");
  return common::printable_utf8(line.substr(0, end == std::string_view::npos ? 0 : end + 1));
}

std::string ending_text(const common::Ending& ending) {
  if (!ending.signalled) return "ended with exit code " + std::to_string(ending.number);
  const char* const name = ::sigabbrev_np(ending.number);
  return "was ended by signal " + std::to_string(ending.number) +
         (name ? " (SIG" + std::string(name) + ")" : "");
}

}  // namespace

std::string reason_of(const JobEnd& end, const std::string& name, Clock::duration limit) {
  if (end.how == JobEnd::How::not_started) return end.text;
  const std::string line = telling_line(end.text);
  if (end.how == JobEnd::How::timed_out) {
    return name + " did not end within " + common::seconds_text(limit) + " s" +
           (line.empty() ? "" : ": " + line);
  }
  if (!line.empty()) return line;
  return end.well() ? "" : name + " " + ending_text(end.ending);
}

class Job::Impl : public std::enable_shared_from_this<Job::Impl> {
 public:
  Impl(asio::io_context& io, JobSetup setup, Done done)
      : io_(io),
        setup_(std::move(setup)),
        done_(std::move(done)),
        ended_(io),
        pipe_(io),
        timer_(io) {}

  ~Impl() { leave_pidfd(); }

  void launch() {
    if (!done_) return;  // dropped meanwhile
    started_ = Clock::now();
    try {
      start();
    } catch (const common::Error& problem) {
      end_.how = JobEnd::How::not_started;
      end_.text = problem.what();
      setup_.pid_record.close();
      return tell();
    }
    setup_.pid_record.close();
    watch();
  }

  void adopt(const common::PidRecord& process) {
    started_ = Clock::now();
    adopted_ = common::open_pidfd(process.pid);
    // The number is proved after it is held.
    if (!adopted_ || !common::runs(process.pid, process.start_ticks)) {
      adopted_.reset();
      return asio::post(io_, [self = shared_from_this()] { self->tell(); });
    }
    expect_end(*adopted_);
    watch();
  }

  void drop() {
    done_ = nullptr;
    if (setup_.outlives_us || over_ || !(child_ || adopted_)) return;
    kill();
  }

 private:
  void start() {
    common::Spawn what;
    what.argv = setup_.argv;
    what.environment = setup_.environment;
    what.limits = setup_.limits;
    what.ends_with_parent = !setup_.outlives_us;
    what.pid_record = setup_.pid_record.get();
    const Fd write_end = open_output();
    what.err = write_end ? write_end.get() : file_.get();
    if (setup_.with_standard_output) what.out = what.err;
    child_.emplace(common::spawn(what));
    expect_end(child_->pidfd());
  }

  // Epoll may have no room (memory short, fs.epoll.max_user_watches). What runs by then goes on,
  // and is looked at instead.
  void expect_end(const Fd& pidfd) {
    error_code no_room;
    ended_.assign(pidfd.get(), no_room);
  }

  // Returns a pipe's end for the child.
  Fd open_output() {
    if (setup_.output == JobSetup::Output::file) {
      file_ = make_file();
      return Fd();
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw common::system_error("making a pipe", errno);
    Fd write_end(ends[1]);
    Fd read_end(ends[0]);
    error_code no_room;
    pipe_.assign(read_end.get(), no_room);
    if (no_room) throw common::system_error("watching a pipe (epoll)", no_room.value());
    read_end.release();
    pipe_.non_blocking(true);
    return write_end;
  }

  void watch() {
    if (ended_.is_open()) {
      ended_.async_wait(Descriptor::wait_read,
                        [self = shared_from_this()](const error_code& error) {
                          if (!error) self->ended();
                        });
    }
    if (pipe_.is_open()) read_on();
    arm();
  }

  void ended() {
    over_ = true;
    timer_.cancel();
    leave_pidfd();
    if (child_) end_.ending = child_->reap();
    if (pipe_.is_open()) {
      while (read_some()) {
      }
      error_code ignored;
      pipe_.close(ignored);
    }
    seal_file();
    tell();
  }

  void read_on() {
    pipe_.async_wait(Descriptor::wait_read, [self = shared_from_this()](const error_code& error) {
      if (error || self->over_) return;
      error_code ignored;
      if (self->read_some()) return self->read_on();
      if (!self->pipe_again_) return self->pipe_.close(ignored), void();
      self->read_on();
    });
  }

  // One piece, so that a child that writes without end does not hold the loop up. False when there
  // is none.
  bool read_some() {
    std::array<char, 16 * 1024> piece;
    error_code error;
    const std::size_t n = pipe_.read_some(asio::buffer(piece), error);
    pipe_again_ = error == asio::error::would_block || error == asio::error::try_again;
    pieces_ += over_ ? 1 : 0;
    end_.text.append(piece.data(), std::min(n, kMostText - end_.text.size()));
    // After its end a descendant may go on writing.
    return !error && pieces_ < 8;
  }

  void seal_file() {
    if (file_) ::fcntl(file_.get(), F_ADD_SEALS, F_SEAL_GROW);
  }

  void arm() {
    const auto deadline = started_ + setup_.limit;
    auto next = deadline;
    if (file_ && !forced_) next = std::min<Clock::time_point>(deadline, Clock::now() + kLook);
    wake_at(next);
  }

  void wake_at(Clock::time_point when) {
    const bool looks = !ended_.is_open();
    timer_.expires_at(looks ? std::min<Clock::time_point>(when, Clock::now() + kLookForEnd) : when);
    timer_.async_wait([self = shared_from_this(), when, looks](const error_code& error) {
      if (error || self->over_) return;
      if (looks && self->has_ended()) return self->ended();
      if (looks && Clock::now() < when) return self->wake_at(when);
      self->wake();
    });
  }

  void wake() {
    struct stat info {};
    if (file_ && ::fstat(file_.get(), &info) == 0 && info.st_size > kMostFile) seal_file();
    if (Clock::now() < started_ + setup_.limit) return arm();
    // This process may have been stopped for longer than the child's time: it has ended in time.
    if (!forced_ && has_ended()) return;
    end_.how = JobEnd::How::timed_out;
    force();
  }

  void force() {
    if (killed_) {
      tell();  // an uninterruptible wait; it is reaped when it ends
      if (!ended_.is_open()) wake_at(Clock::time_point::max());
      return;
    }
    if (forced_ || setup_.signal == SIGKILL) {
      kill();
      return wake_at(Clock::now() + kAfterKill);
    }
    forced_ = true;
    signal(setup_.signal, setup_.to_group);
    wake_at(Clock::now() + setup_.grace);
  }

  void kill() {
    killed_ = true;
    signal(SIGKILL, true);
  }

  // Before it is reaped its number, and its group's, are nobody else's.
  void signal(int number, bool group) {
    if (child_) {
      ::kill(group ? -child_->pid() : child_->pid(), number);
    } else {
      common::send_signal(*adopted_, number);
    }
  }

  bool has_ended() const {
    return common::wait_for_end(child_ ? child_->pidfd() : *adopted_, Clock::duration::zero());
  }

  void tell() {
    if (!done_) return;
    const Done done = std::move(done_);
    done_ = nullptr;
    end_.took = Clock::now() - started_;
    if (file_ && end_.how != JobEnd::How::not_started) end_.text = file_text(file_);
    done(end_);
  }

  // It is the Child's, or adopted_, and not the descriptor's to close.
  void leave_pidfd() {
    if (ended_.is_open()) ended_.release();
  }

  asio::io_context& io_;
  JobSetup setup_;
  Done done_;
  std::optional<common::Child> child_{};
  std::optional<Fd> adopted_{};
  Fd file_{};
  Descriptor ended_;  // the pidfd
  Descriptor pipe_;
  asio::steady_timer timer_;
  Clock::time_point started_{};
  JobEnd end_{};
  int pieces_ = 0;
  bool pipe_again_ = false;
  bool forced_ = false;
  bool killed_ = false;
  bool over_ = false;
};

Job::Job(asio::io_context& io, Launcher& launcher, JobSetup setup, Done done) {
  const Urgency urgency = setup.urgency;
  impl_ = std::make_shared<Impl>(io, std::move(setup), std::move(done));
  launcher.add(urgency, [weak = std::weak_ptr(impl_)] {
    if (const auto impl = weak.lock()) impl->launch();
  });
}

Job::Job(asio::io_context& io, const common::PidRecord& process, JobSetup setup, Done done)
    : impl_(std::make_shared<Impl>(io, std::move(setup), std::move(done))) {
  impl_->adopt(process);
}

Job::~Job() { impl_->drop(); }

}  // namespace genapp::agent
