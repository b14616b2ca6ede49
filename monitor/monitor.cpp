#include "monitor/monitor.hpp"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <map>

#include "common/control_server.hpp"
#include "common/error.hpp"
#include "common/notify.hpp"
#include "common/paths.hpp"
#include "monitor/judge.hpp"
#include "monitor/metrics.hpp"
#include "monitor/report.hpp"
#include "monitor/response_times.hpp"
#include "monitor/run_files.hpp"
#include "monitor/schedule.hpp"
#include "monitor/start_pages.hpp"
#include "monitor/status.hpp"

namespace genapp::monitor {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Clock;

// With an interval shorter than the wait; beyond, checks are left out.
constexpr std::size_t kMostUnderWay = 64;
constexpr auto kLongestBlindness = std::chrono::seconds(10);  // to its own files
constexpr auto kMetricsPause = std::chrono::seconds(1);

std::int64_t milliseconds(Clock::duration length) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
}

double in_ms(ResponseTimes::Duration time) { return static_cast<double>(time.count()) / 1000; }

void mask_ending_signals(int how) {
  sigset_t ending;
  ::sigemptyset(&ending);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&ending, number);
  ::pthread_sigmask(how, &ending, nullptr);
}

std::optional<std::uint16_t> metrics_port(const Settings& settings) {
  const std::string& text = settings.metrics;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

class Monitor {
 public:
  explicit Monitor(MonitorSetup setup)
      : setup_(std::move(setup)),
        io_(setup_.io),
        started_(Clock::now()),
        schedule_(settings().interval, started_ + settings().initial_delay),
        judge_({{settings().retries + 1, settings().rise},
                settings().retry_on_timeout,
                settings().wait}),
        timer_(io_),
        signals_(io_, SIGTERM, SIGINT, SIGHUP),
        control_(io_, setup_.identity.directory(), common::paths::kMonitorSock,
                 [this](std::string_view line) { return answer(line); }) {
    if (const auto port = metrics_port(settings())) {
      metrics_server_.emplace(io_, *port, [this] { return metrics_text(metrics()); });
    } else if (!settings().metrics.empty()) {
      write_metrics(settings().metrics, metrics_text(metrics()));
    }
  }

  End run() {
    signals_.async_wait([this](error_code cancelled, int) {
      if (!cancelled) end(End::stopped);
    });
    mask_ending_signals(SIG_UNBLOCK);
    control_.start();
    tell(Event::started, server_text(settings()));
    common::notify_systemd("READY=1\nSTATUS=monitoring " + server_text(settings()));
    arm();
    io_.run();
    hold_ending_signals();
    common::notify_systemd("STOPPING=1");
    return *end_;
  }

 private:
  const Settings& settings() const { return setup_.settings; }

  // Checks.

  void arm() {
    timer_.expires_at(schedule_.due());
    timer_.async_wait([this](error_code cancelled) {
      if (!cancelled && !end_ && !paused_) on_due();
    });
  }

  void on_due() {
    const auto now = Clock::now();
    if (!files_in_place(now)) return end(End::lost);
    skipped_ += schedule_.start(now);
    // First, so that the check's own deadline is the later one: that costs the kernel's timer
    // nothing.
    arm();
    if (under_way_.size() < kMostUnderWay) {
      start_check();
    } else {
      ++skipped_;
    }
  }

  void start_check() {
    if (!first_told_) tell(Event::starting);
    first_told_ = true;
    const auto number = judge_.begin();
    under_way_[number] = setup_.start_check(
        [this, number](const CheckResult& result) { on_result(number, result); });
  }

  void on_result(Judge::Number number, const CheckResult& result) {
    const auto done = under_way_.find(number);
    if (done == under_way_.end()) return;  // dropped meanwhile
    // Not before this call has ended: it comes from within the check.
    asio::post(io_, [check = std::shared_ptr<Check>(std::move(done->second))] {});
    under_way_.erase(done);
    if (judge_.says_nothing(result)) return start_over(result);
    for (const Judge::Verdict& verdict : judge_.put(number, result)) on_verdict(verdict);
    if (!end_ && Clock::now() >= next_metrics_) write_metrics_file();
  }

  // What ran while this process did not is dropped and done again, on a new grid.
  void start_over(const CheckResult& late) {
    dropped_ += under_way_.size() + 1;
    under_way_.clear();
    judge_.drop_all();
    tell(Event::not_running, "a check that may take " + common::seconds_text(settings().wait) +
                                 " s ended after " + common::seconds_text(late.took) + " s");
    schedule_.restart(Clock::now());
    arm();
  }

  void on_verdict(const Judge::Verdict& verdict) {
    if (++judged_ == 1) drop_start_pages();
    pending_ = verdict.pending;
    last_ = verdict.result;
    last_at_ = Clock::now();
    last_wall_ = common::WallClock::now();
    note_certificate(verdict.result);
    if (verdict.result.fault) {
      on_failure(verdict);
    } else {
      times_.put(verdict.result.took);
      if (verdict.pending_before > 0 && verdict.pending == 0) tell(Event::answers_again);
    }
  }

  void on_failure(const Judge::Verdict& verdict) {
    ++failed_;
    const Fault& fault = *verdict.result.fault;
    const bool is_errno = fault.event >= Event::socket_error && fault.event <= Event::no_address;
    const bool changed = verdict.change == Threshold::Change::changed;
    if (verdict.without_socket > 0) return on_no_socket(verdict);
    std::string count = "failure " + std::to_string(verdict.pending) + " of " +
                        std::to_string(settings().retries + 1);
    if (changed && fault.timed_out && !settings().retry_on_timeout) count = "not retried";
    setup_.reporter.tell(
        {fault.event, fault.reason + "; " + count, fault.code, is_errno && fault.code != 0, ""});
    if (!changed) return;
    tell(Event::judged_failed, fault.reason);
    end(End::server_failed);
  }

  // A monitor that can't look for as long as a server may fail is of no use; but it has not seen
  // the server fail.
  void on_no_socket(const Judge::Verdict& verdict) {
    const Fault& fault = *verdict.result.fault;
    setup_.reporter.tell(
        {fault.event, fault.reason + "; not the server's failure", fault.code, true, ""});
    if (verdict.without_socket <= settings().retries) return;
    setup_.reporter.tell({Event::system_error,
                          std::to_string(verdict.without_socket) +
                              " checks in a row could not be made: look at this node's limits",
                          fault.code, true, "socket"});
    end(End::blind);
  }

  // Told once for each number of days.
  void note_certificate(const CheckResult& result) {
    if (!result.certificate_days) return;
    certificate_days_ = result.certificate_days;
    if (*certificate_days_ >= settings().certificate_days || certificate_days_ == told_days_)
      return;
    told_days_ = certificate_days_;
    setup_.reporter.tell(
        {Event::certificate_expires, result.address, *certificate_days_, false, ""});
  }

  bool files_in_place(Clock::time_point now) {
    if (now < next_look_) return true;
    next_look_ = now + kLongestBlindness;
    return setup_.identity.in_place();
  }

  // Control.

  std::string answer(std::string_view request) {
    if (request == "pause") {
      pause();
    } else if (request == "resume") {
      resume();
    } else if (request != "status") {
      return "error: the requests are: status, pause, resume\n";
    }
    return format_status(status());
  }

  void pause() {
    if (paused_) return;
    paused_ = true;
    timer_.cancel();
    under_way_.clear();
    judge_.reset();
    pending_ = 0;
    tell(Event::paused);
    write_metrics_file();
  }

  void resume() {
    if (!paused_) return;
    paused_ = false;
    tell(Event::resumed);
    write_metrics_file();
    schedule_.restart(Clock::now());
    arm();
  }

  Status status() const {
    const auto now = Clock::now();
    Status status;
    status.id = setup_.reporter.id();
    status.command = command_name(settings().protocol);
    status.pid = ::getpid();
    status.state = paused_ ? "paused" : under_way_.empty() ? "monitoring" : "checking";
    status.server = server_text(settings());
    status.interval_ms = milliseconds(settings().interval);
    status.wait_ms = milliseconds(settings().wait);
    status.retries = settings().retries;
    status.uptime_ms = milliseconds(now - started_);
    status.checks = judged_;
    status.failed = failed_;
    status.skipped = skipped_;
    status.dropped = dropped_;
    status.pending_failures = pending_;
    status.certificate_days = certificate_days_;
    if (last_) status.last = last_check(now);
    if (const auto times = times_.summary()) {
      status.response = {in_ms(times->least), in_ms(times->p50), in_ms(times->p99),
                         in_ms(times->last)};
    }
    return status;
  }

  LastCheck last_check(Clock::time_point now) const {
    LastCheck last;
    last.ok = !last_->fault;
    last.age_ms = milliseconds(now - last_at_);
    last.took_ms = in_ms(std::chrono::duration_cast<ResponseTimes::Duration>(last_->took));
    last.seen = last_->seen;
    if (last_->fault) {
      last.reason = last_->fault->reason;
      last.event = static_cast<int>(last_->fault->event);
    }
    return last;
  }

  Metrics metrics() const {
    Metrics metrics{status(), times_.summary(), {}};
    if (last_) metrics.last_check = last_wall_;
    return metrics;
  }

  // A file that can't be written now is tried again at the next check; told once.
  void write_metrics_file() {
    if (metrics_server_ || settings().metrics.empty()) return;
    next_metrics_ = Clock::now() + kMetricsPause;
    try {
      write_metrics(settings().metrics, metrics_text(metrics()));
      metrics_trouble_ = false;
    } catch (const common::Error& problem) {
      if (!metrics_trouble_) {
        setup_.reporter.tell(
            {Event::system_error, problem.what(), problem.error_number(), true, "write"});
      }
      metrics_trouble_ = true;
    }
  }

  // The end.

  void end(End how) {
    if (end_) return;
    end_ = how;
    if (how == End::lost) {
      setup_.reporter.tell({Event::system_error,
                            setup_.identity.directory().path() +
                                " was deleted or replaced: ending, since nobody could stop this "
                                "monitor any more",
                            ENOENT, true, "stat"});
    }
    if (how != End::server_failed) tell(Event::stopping);
    under_way_.clear();
    write_metrics_file();
    control_.stop();
    io_.stop();
  }

  void tell(Event event, const std::string& reason = "") {
    setup_.reporter.tell({event, reason, 0, false, ""});
  }

  MonitorSetup setup_;
  asio::io_context& io_;
  Clock::time_point started_;
  Schedule schedule_;
  Judge judge_;
  asio::steady_timer timer_;
  asio::signal_set signals_;
  common::ControlServer control_;
  std::optional<MetricsServer> metrics_server_{};
  std::map<Judge::Number, std::unique_ptr<Check>> under_way_{};
  ResponseTimes times_{};
  std::size_t pending_ = 0;  // failures so far; of a failed server, those that made it so
  std::uint64_t judged_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t dropped_ = 0;
  std::optional<CheckResult> last_{};  // the last that was judged
  Clock::time_point last_at_{};
  common::WallClock::time_point last_wall_{};
  std::optional<int> certificate_days_{};
  std::optional<int> told_days_{};
  Clock::time_point next_look_{};
  Clock::time_point next_metrics_{};
  bool metrics_trouble_ = false;
  bool first_told_ = false;
  bool paused_ = false;
  std::optional<End> end_{};
};

}  // namespace

void hold_ending_signals() { mask_ending_signals(SIG_BLOCK); }

End run_monitor(MonitorSetup setup) {
  try {
    Monitor monitor(std::move(setup));
    return monitor.run();
  } catch (const boost::system::system_error& problem) {
    throw common::system_error("the event loop", problem.code().value());
  }
}

}  // namespace genapp::monitor
