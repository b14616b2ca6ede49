#include "lbhc/daemon.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <optional>

#include "common/error.hpp"
#include "common/flag_file.hpp"
#include "common/listener.hpp"
#include "common/lock_file.hpp"
#include "common/log.hpp"
#include "common/paths.hpp"
#include "common/pid_file.hpp"
#include "common/printable.hpp"
#include "lbhc/control.hpp"
#include "lbhc/lease.hpp"
#include "lbhc/no_probe_clock.hpp"
#include "lbhc/responder.hpp"

namespace genapp::lbhc {
namespace {

namespace asio = boost::asio;
namespace log = common::log;
namespace paths = common::paths;
using boost::system::error_code;
using common::Clock;
using common::Error;

// How often a daemon looks whether its pid file is still there, however long HC_TIMEOUT is: without
// it no remove can find the daemon.
constexpr auto kLongestPause = std::chrono::seconds(10);
// How often a flag that could not be written is tried again.
constexpr auto kFlagRetry = std::chrono::seconds(1);
// Descriptors kept free for everything but probers: log, control socket, files.
constexpr std::size_t kReservedDescriptors = 64;

std::int64_t milliseconds(Clock::duration length) {
  return std::chrono::round<std::chrono::milliseconds>(length).count();
}

// As many connections as the limits of this process leave room for.
ResponderLimits limits_for_this_process() {
  ResponderLimits limits;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return limits;
  const rlim_t wanted = limits.connections + kReservedDescriptors;
  if (files.rlim_cur < wanted) {
    files.rlim_cur = std::min(wanted, files.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::getrlimit(RLIMIT_NOFILE, &files);
  }
  const auto room = static_cast<std::size_t>(std::min<rlim_t>(files.rlim_cur, wanted));
  limits.connections = room > 2 * kReservedDescriptors ? room - kReservedDescriptors
                                                       : std::max<std::size_t>(room / 2, 1);
  return limits;
}

// Asio does not notice when epoll has no room for its timer or its signal pipe; such a daemon would
// answer probes, never raise its flag, and not hear TERM. So both are tried before anybody relies
// on them. Blocks until both have come, which is at once, or for 2 s. Throws Error.
void require_timers_and_signals(asio::io_context& io, std::uint16_t port) {
  const auto deadline = Clock::now() + std::chrono::seconds(2);
  int come = 0;
  const auto count = [&come](error_code error, auto&&...) { come += !error; };
  asio::steady_timer timer(io, Clock::duration::zero());
  timer.async_wait(count);
  asio::signal_set signals(io, SIGUSR1);
  signals.async_wait(count);
  ::raise(SIGUSR1);
  // A turn may be the loop's own business.
  while (come != 2 && !io.stopped() && Clock::now() < deadline) io.run_one_until(deadline);
  if (come != 2) {
    throw Error("the event loop for port " + std::to_string(port) +
                " can't watch its timer or its signals: is memory short, or "
                "fs.epoll.max_user_watches too low?");
  }
  io.restart();
}

// What ends a daemon, or opens its log anew, waits for the object's end: until the event loop
// listens for it, its default would be a death that leaves files behind.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&held, signal);
    ::sigprocmask(SIG_BLOCK, &held, &before_);
  }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

class Daemon {
 public:
  Daemon(DaemonSetup& setup, common::PidFile pid_file, common::Fd listener)
      : setup_(setup),
        pid_file_(std::move(pid_file)),
        responder_(
            io_, std::move(listener), setup.config, limits_for_this_process(),
            [this](const Address& source) { on_probe(source); }, [this] { return lease_holds(); }),
        control_(io_, setup.run_dir, setup.id,
                 {[this] { return format_status(status()); },
                  [this](Clock::duration length) { drain(length); },
                  [this](Clock::duration length) { ignore_probes(length); },
                  [this](Clock::duration length) { return on_check(length); },
                  [this](std::uint16_t port) { responder_.expect_own_probe(port); }}),
        clock_timer_(io_),
        lease_timer_(io_),
        drain_timer_(io_),
        signals_(io_, SIGTERM, SIGINT, SIGHUP),
        starter_(io_),
        started_(Clock::now()),
        clock_(setup.config.hc_timeout, started_) {
    require_timers_and_signals(io_, setup.config.port);
  }

  // Once everything is open, and before anybody is answered. Throws Error.
  void confine() const {
    if (!setup_.confinement) return;
    log::info("confined: " + lbhc::confine(*setup_.confinement, setup_.run_dir, pid_file_));
  }

  void run() {
    watch_signals();
    watch_starter();
    responder_.start();
    control_.start();
    log::info("listening on port " + std::to_string(setup_.config.port) + " (" +
              std::string(protocol_text(setup_.config.protocol)) + ", HC_TIMEOUT " +
              common::seconds_text(setup_.config.hc_timeout) + " s)");
    if (!setup_.wait_first_probe) become_ready();
    arm_clock(next_look(started_));
    io_.run();
    clean_up();
    if (failure_) throw Error(*failure_);
  }

 private:
  // Probes and the clock.

  void on_probe(const Address& source) {
    const auto now = Clock::now();
    if (now < ignore_until_) return;
    if (ignore_told_) tell_ignore(false);
    const auto change = clock_.probe(now);
    last_source_ = source;
    last_time_ = common::WallClock::now();
    if (phase_ == Phase::starting) {
      log::info("first probe, from " + source.text());
      become_ready();
    }
    if (change == NoProbeClock::Change::cleared || flag_file_up_) clear_flag(source);
  }

  // A drill. A start that waits for its first probe is none of its business.
  void ignore_probes(Clock::duration length) {
    if (phase_ != Phase::serving) return;
    ignore_until_ = Clock::now() + length;
    const bool ignoring = length > Clock::duration::zero();
    if (ignoring != ignore_told_) tell_ignore(ignoring);
  }

  void tell_ignore(bool ignoring) {
    ignore_told_ = ignoring;
    log::warn(ignoring ? "a drill: probes are answered and do not count"
                       : "the drill is over: probes count again");
  }

  // A start has no lease yet: its waiting is bounded by HC_TIMEOUT, and who recovers does not check
  // meanwhile.
  bool on_check(Clock::duration lease) { return phase_ == Phase::starting || renew_lease(lease); }

  // A renewal is the whole of a lease's traffic, so the timer is armed for each.
  bool renew_lease(Clock::duration length) {
    if (!lease_.renew(common::BootClock::now(), length)) {
      lease_holds();
      return false;
    }
    lease_length_ = length;
    lease_timer_.cancel();
    if (lease_.end()) arm_lease_timer(length);
    return true;
  }

  // The timer's clock stands still while the machine is suspended, the lease's does not; so the
  // lease is also looked at before each answer.
  void arm_lease_timer(Clock::duration length) {
    lease_timer_.expires_after(length);
    lease_timer_.async_wait([this](error_code cancelled) {
      if (cancelled || stopping_ || !lease_holds()) return;
      if (const auto end = lease_.end()) arm_lease_timer(*end - common::BootClock::now());
    });
  }

  // Ends the daemon when it does not: only a start may bring the port back.
  bool lease_holds() {
    if (!lease_.has_run_out(common::BootClock::now())) return true;
    if (!stopping_) {
      fail("the lease has run out: no quickCheck and no monitor came for " +
           common::seconds_text(lease_length_) + " s, so another node may have taken over");
    }
    return false;
  }

  void become_ready() {
    phase_ = Phase::serving;
    renew_lease(setup_.config.lease);
    try {
      setup_.ready();
    } catch (const std::exception& problem) {
      fail(problem.what());
    }
  }

  // Armed for the deadline as it was; if probes came meanwhile, for the new one. So with regular
  // probes it fires once per HC_TIMEOUT or kLongestPause, and not once per probe.
  void arm_clock(Clock::time_point when) {
    clock_timer_.expires_at(when);
    clock_timer_.async_wait([this](error_code cancelled) {
      if (!cancelled && !stopping_) on_clock();
    });
  }

  void on_clock() {
    responder_.accept_waiting();
    if (stopping_) return;
    if (!pid_file_.in_place(setup_.run_dir, setup_.id)) {
      orphaned_ = true;
      return fail(setup_.run_dir.full(paths::pid_name(setup_.id)) +
                  " was deleted or replaced: ending, since no remove could find this daemon");
    }
    const auto now = Clock::now();
    if (phase_ == Phase::starting && now >= clock_.deadline()) return fail(no_first_probe());
    if (clock_.tick(now) == NoProbeClock::Change::raised) {
      log::warn("no probe for " + common::seconds_text(setup_.config.hc_timeout) +
                " s: " + *status().no_probe);
    }
    if (clock_.flag_up() && !flag_file_up_) raise_flag();
    arm_clock(next_look(now));
  }

  Clock::time_point next_look(Clock::time_point now) const {
    // Never later than a deadline that a probe may set in the meantime.
    const auto regular = now + std::min<Clock::duration>(kLongestPause, setup_.config.hc_timeout);
    if (clock_.flag_up() && !flag_file_up_) return std::min(now + kFlagRetry, regular);
    return clock_.deadline() > now ? std::min(clock_.deadline(), regular) : regular;
  }

  std::string no_first_probe() const {
    const auto others = responder_.counters().others;
    return "no probe on port " + std::to_string(setup_.config.port) + " within " +
           common::seconds_text(setup_.config.hc_timeout) + " s (zero connections" +
           (others ? " from allowed sources, " + std::to_string(others) + " from others" : "") +
           "): check the load balancer's probe port and what the firewall lets through";
  }

  void raise_flag() {
    try {
      common::raise_flag(setup_.run_dir, setup_.id,
                         format_flag(status(), common::WallClock::now()));
      flag_file_up_ = true;
      flag_trouble_ = false;
    } catch (const Error& problem) {
      // Not lost: the control socket tells quickCheck, and it is tried again.
      if (!flag_trouble_) log::error(std::string(problem.what()) + ": trying again every second");
      flag_trouble_ = true;
    }
  }

  void clear_flag(const Address& source) {
    try {
      common::clear_flag(setup_.run_dir, setup_.id);
      flag_file_up_ = false;
      log::info("probes are back, from " + source.text() + ": flag cleared");
    } catch (const Error& problem) {
      log::error(std::string(problem.what()) + ": trying again at the next probe");
    }
  }

  Status status() const {
    const auto now = Clock::now();
    const Counters& counters = responder_.counters();
    Status status;
    status.tag = setup_.tag.text();
    status.id = setup_.id.text();
    status.pid = ::getpid();
    // Not before restore has taken note: until then the daemon may still undo itself, and a second
    // restore with already_running = "ok" goes by this word.
    status.phase = phase_ == Phase::serving && !counts_ ? Phase::starting : phase_;
    status.foreground = setup_.drain_on_term;
    status.port = setup_.config.port;
    status.protocol = protocol_text(setup_.config.protocol);
    status.hc_timeout_ms = milliseconds(setup_.config.hc_timeout);
    status.uptime_ms = milliseconds(now - started_);
    status.probes = clock_.probes();
    status.answered = counters.answered;
    status.undelivered = counters.undelivered;
    status.others = counters.others;
    status.connections = counters.open;
    if (const auto last = clock_.last_probe()) {
      status.last_probe =
          LastProbe{milliseconds(now - *last), common::utc_text(last_time_), last_source_.text()};
    }
    if (const auto end = lease_.end()) {
      status.lease_ms = milliseconds(
          std::max<Clock::duration>(*end - common::BootClock::now(), Clock::duration::zero()));
    }
    if (clock_.flag_up()) {
      status.no_probe = no_probe_cause(status.probes, status.last_probe) +
                        (now < ignore_until_ ? " (a drill lets none count)" : "");
    }
    return status;
  }

  // The end, and the ways to it.

  void watch_signals() {
    signals_.async_wait([this](error_code cancelled, int signal) {
      if (cancelled) return;
      on_signal(signal);
      if (!stopping_) watch_signals();
    });
  }

  void on_signal(int signal) {
    if (signal == SIGHUP) return log::reopen();
    // With the flag up there is no prober that could notice a drain.
    const bool drain_first = signal == SIGTERM && setup_.drain_on_term &&
                             setup_.config.drain > Clock::duration::zero() &&
                             phase_ == Phase::serving && !clock_.flag_up();
    if (drain_first) return drain(setup_.config.drain);
    if (phase_ == Phase::starting) failure_ = "stopped by a signal before the first probe came";
    log::info(std::string("stopping: ") + (signal == SIGTERM ? "TERM" : "INT"));
    stop();
  }

  void drain(Clock::duration length) {
    if (phase_ == Phase::draining || stopping_) return;
    if (phase_ == Phase::starting) failure_ = "told to drain before the first probe came";
    log::info("draining for " + common::seconds_text(length) + " s");
    phase_ = Phase::draining;
    clock_.stop();
    responder_.drain();
    drain_timer_.expires_after(length);
    drain_timer_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      log::info("drained: stopping");
      stop();
    });
  }

  void watch_starter() {
    counts_ = !setup_.starter;
    if (counts_) return;
    starter_.assign(setup_.starter.release());
    starter_.async_read_some(asio::buffer(starter_byte_), [this](error_code error, std::size_t) {
      if (error == asio::error::operation_aborted || stopping_) return;
      if (error) return fail("restore ended before it took note of the start");
      counts_ = true;
      error_code ignored;
      starter_.close(ignored);
    });
  }

  void fail(const std::string& why) {
    failure_ = why;
    stop();
  }

  void stop() {
    stopping_ = true;
    responder_.stop();
    control_.stop();
    io_.stop();
  }

  // The flag and the socket are ours while we hold the alive lock. The pid file may go only under
  // ID.lock, which is then kept to the very end: who gets it next finds us gone.
  void clean_up() {
    if (orphaned_) return;
    try {
      setup_.run_dir.unlink(paths::flag_name(setup_.id));
      setup_.run_dir.unlink(paths::sock_name(setup_.id));
      auto lock = common::LockFile::acquire(setup_.run_dir, paths::lock_name(setup_.id));
      setup_.run_dir.unlink(paths::pid_name(setup_.id));
      setup_.ended(failure_ ? DaemonSetup::End::failed : DaemonSetup::End::in_order);
      std::move(lock).keep_until_exit();
    } catch (const Error& problem) {
      log::error(std::string("cleaning up: ") + problem.what());
    }
  }

  DaemonSetup& setup_;
  common::PidFile pid_file_;
  asio::io_context io_{1};
  Responder responder_;
  ControlServer control_;
  asio::steady_timer clock_timer_;
  asio::steady_timer lease_timer_;
  asio::steady_timer drain_timer_;
  asio::signal_set signals_;
  asio::posix::stream_descriptor starter_;
  std::array<char, 1> starter_byte_{};
  Clock::time_point started_;
  NoProbeClock clock_;
  Lease lease_;
  Clock::duration lease_length_{};
  Phase phase_ = Phase::starting;
  Address last_source_;
  common::WallClock::time_point last_time_{};
  bool flag_file_up_ = false;
  bool flag_trouble_ = false;
  bool stopping_ = false;
  bool orphaned_ = false;
  Clock::time_point ignore_until_{};  // probes before do not count
  bool ignore_told_ = false;          // in the log
  bool counts_ = false;               // nobody is left who could fail to take note of the start
  std::optional<std::string> failure_;
};

common::PidFile take_pid_file(const common::LockFile& lock, const DaemonSetup& setup) {
  auto pid_file = common::PidFile::take(lock, setup.run_dir, setup.id);
  if (pid_file) return std::move(*pid_file);
  throw DaemonIsRunning("a daemon for the id " + common::quoted(setup.id.text()) +
                        " is already running");
}

void undo_start(const DaemonSetup& setup) {
  try {
    setup.run_dir.unlink(paths::sock_name(setup.id));
    setup.run_dir.unlink(paths::pid_name(setup.id));
    setup.ended(DaemonSetup::End::failed);
  } catch (const Error& problem) {
    log::error(std::string("cleaning up: ") + problem.what());
  }
}

// Under ID.lock: alive, no flag of an earlier daemon, listening. In this order, so that no flag can
// be taken for ours and no port is open without a lock. On a throw nothing stays.
// The order holds at a sudden death too: the kernel closes the highest descriptor first, so the
// port is free before the lock is.
std::unique_ptr<Daemon> start(DaemonSetup& setup) {
  const auto lock = common::LockFile::acquire(setup.run_dir, paths::lock_name(setup.id));
  const SignalsHeld held;
  setup.before_start();
  auto pid_file = take_pid_file(lock, setup);
  try {
    common::clear_flag(setup.run_dir, setup.id);
    auto listener = common::open_listener(setup.config.listen, setup.config.port);
    auto daemon = std::make_unique<Daemon>(setup, std::move(pid_file), std::move(listener));
    daemon->confine();
    return daemon;
  } catch (...) {
    undo_start(setup);
    throw;
  }
}

}  // namespace

void run_daemon(DaemonSetup setup) {
  try {
    const auto daemon = start(setup);
    daemon->run();
  } catch (const boost::system::system_error& problem) {
    throw common::system_error("the event loop for port " + std::to_string(setup.config.port),
                               problem.code().value());
  }
}

}  // namespace genapp::lbhc
