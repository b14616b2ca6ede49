#include "agent/run/polled_monitor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>

#include "monitor/schedule.hpp"
#include "monitor/threshold.hpp"

namespace genapp::agent {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Clock;
using monitor::Threshold;
using Seen = ProbeResult::Seen;

// Of a result that came later than this after its time: this process was itself not running, as
// monitor/judge.hpp has it.
constexpr auto kMostLate = std::chrono::seconds(1);
// How long a command may take to end after its signal.
constexpr auto kHangEnds = std::chrono::seconds(2);

}  // namespace

class PolledMonitor::Impl : public std::enable_shared_from_this<PolledMonitor::Impl> {
 public:
  Impl(const ProbeTools& tools, const ResourceConfig& resource, const MonitorConfig& monitor,
       Saw saw, std::function<void(const std::string&)> complain)
      : prober_(tools, resource, monitor),
        saw_(std::move(saw)),
        complain_(std::move(complain)),
        timer_(tools.io),
        schedule_(monitor.monitor_interval, Clock::now()),
        threshold_({monitor.retries + 1, 1}) {}

  void wait() {
    timer_.expires_at(schedule_.due());
    timer_.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (!error && self && !self->stopped_) self->check();
    });
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
    probe_.reset();
  }

 private:
  void check() {
    schedule_.start(Clock::now());
    if (!probe_) {
      probe_ = prober_.start(prober_.limit(), [weak = weak_from_this()](const ProbeResult& result) {
        const auto self = weak.lock();
        if (self && !self->stopped_) self->judge(result);
      });
    }
    wait();
  }

  void judge(const ProbeResult& result) {
    probe_.reset();
    if (result.seen == Seen::nothing) return complain_once(result.reason);
    complained_ = false;
    if (says_nothing(result)) return;
    granted_ = false;
    const bool good = result.seen == Seen::healthy;
    const auto change =
        threshold_.put(good ? Threshold::Outcome::success : Threshold::Outcome::failure);
    // Failures that do not count yet are no verdict, be it the first.
    if (!good && !threshold_.failed()) return;
    if (told_ && change != Threshold::Change::changed) return;
    told_ = true;
    const Saw saw = saw_;  // which may end us
    saw({!threshold_.failed(), good ? "" : result.reason});
  }

  // Once; a second time in a row it counts, so that a machine that is always late hides nothing.
  bool says_nothing(const ProbeResult& result) {
    if (result.seen != Seen::failed || granted_) return false;
    if (result.took <= prober_.limit() + kHangEnds + kMostLate) return false;
    granted_ = true;
    return true;
  }

  void complain_once(const std::string& text) {
    if (!std::exchange(complained_, true)) complain_(text);
  }

  Prober prober_;
  Saw saw_;
  std::function<void(const std::string&)> complain_;
  asio::steady_timer timer_;
  monitor::Schedule schedule_;
  Threshold threshold_;
  std::shared_ptr<void> probe_{};
  bool told_ = false;
  bool granted_ = false;
  bool complained_ = false;
  bool stopped_ = false;
};

PolledMonitor::PolledMonitor(const ProbeTools& tools, const ResourceConfig& resource,
                             const MonitorConfig& monitor, Saw saw,
                             std::function<void(const std::string&)> complain)
    : impl_(std::make_shared<Impl>(tools, resource, monitor, std::move(saw), std::move(complain))) {
  impl_->wait();
}

PolledMonitor::~PolledMonitor() { impl_->stop(); }

}  // namespace genapp::agent
