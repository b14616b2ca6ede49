#include "agent/run/startup_monitors.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "common/printable.hpp"

namespace genapp::agent {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Clock;

constexpr Clock::duration kLongestPause = std::chrono::seconds(1);
constexpr Clock::duration kShortestCheck = std::chrono::milliseconds(100);

// One monitor's part.
struct Part {
  Part(asio::io_context& io, const MonitorConfig& of) : monitor(of), window(io), pause(io) {}

  const MonitorConfig& monitor;
  Clock::time_point until{};
  asio::steady_timer window;
  asio::steady_timer pause;
  std::unique_ptr<Prober> prober{};
  std::shared_ptr<void> probe{};
  ProcessMonitors::Number watched = 0;  // 0: none
  std::string last{};                   // what was wrong
  bool healthy = false;
};

class Round : public std::enable_shared_from_this<Round> {
 public:
  Round(const ProbeTools& tools, ProcessMonitors& processes, const ResourceConfig& resource,
        StartupWhen when, StartupDone done)
      : tools_(tools),
        processes_(processes),
        resource_(resource),
        when_(when),
        done_(std::move(done)) {}

  ~Round() { end_all(); }

  // `call`, while this is wanted, and has not finished.
  template <typename Call>
  auto guarded(Call call) {
    return [weak = weak_from_this(), this, call] {
      const auto self = weak.lock();
      if (self && done_) call();
    };
  }

  void begin() {
    for (const MonitorConfig& monitor : resource_.monitors) {
      if (monitor.at_startup()) parts_.push_back(std::make_unique<Part>(tools_.io, monitor));
    }
    if (parts_.empty()) {
      asio::post(tools_.io, guarded([this] {
                   finish(when_ == StartupWhen::after
                              ? std::nullopt
                              : std::optional<std::string>("it has no startup monitor"));
                 }));
    }
    for (const auto& part : parts_) begin(*part);
  }

 private:
  void begin(Part& part) {
    part.until = Clock::now() + part.monitor.stabilization_interval;
    part.window.expires_at(part.until);
    part.window.async_wait(
        [call = guarded([this, &part] { window_over(part); })](const error_code& error) {
          if (!error) call();
        });
    if (part.monitor.kind == MonitorKind::process) {
      part.watched = processes_.watch(
          part.monitor.process, [this, weak = weak_from_this(), &part](const Verdict& verdict) {
            const auto self = weak.lock();
            if (self && done_) saw(part, verdict.healthy, verdict.reason);
          });
      return;
    }
    part.prober = std::make_unique<Prober>(tools_, resource_, part.monitor);
    check(part);
  }

  void check(Part& part) {
    const auto left = std::max(part.until - Clock::now(), kShortestCheck);
    part.probe =
        part.prober->start(std::min(part.prober->limit(), left),
                           [this, weak = weak_from_this(), &part](const ProbeResult& result) {
                             const auto self = weak.lock();
                             if (self && done_)
                               saw(part, result.seen == ProbeResult::Seen::healthy, result.reason);
                           });
  }

  void saw(Part& part, bool healthy, const std::string& reason) {
    part.healthy = healthy;
    part.last = reason;
    part.probe.reset();
    if (healthy) return finish_if_all();
    if (when_ == StartupWhen::before) return finish(problem_of(part));
    if (part.prober) check_later(part);
  }

  void check_later(Part& part) {
    part.pause.expires_after(std::min(part.monitor.monitor_interval, kLongestPause));
    part.pause.async_wait(
        [call = guarded([this, &part] { check(part); })](const error_code& error) {
          if (!error) call();
        });
  }

  void window_over(Part& part) {
    if (!part.healthy) finish(problem_of(part));
  }

  static std::string problem_of(const Part& part) {
    return "startup monitor " + part.monitor.name + ": " +
           (part.last.empty() ? "not healthy within " +
                                    common::seconds_text(part.monitor.stabilization_interval) + " s"
                              : part.last);
  }

  void finish_if_all() {
    const bool all =
        std::all_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->healthy; });
    if (all) finish(std::nullopt);
  }

  void finish(const std::optional<std::string>& problem) {
    const StartupDone done = std::move(done_);
    done_ = nullptr;
    end_all();
    done(problem);
  }

  void end_all() {
    for (const auto& part : parts_) {
      part->window.cancel();
      part->pause.cancel();
      part->probe.reset();
      if (part->watched != 0) processes_.unwatch(std::exchange(part->watched, 0));
    }
  }

  ProbeTools tools_;
  ProcessMonitors& processes_;
  ResourceConfig resource_;
  StartupWhen when_;
  StartupDone done_;
  std::vector<std::unique_ptr<Part>> parts_{};
};

}  // namespace

std::shared_ptr<void> ask_startup_monitors(const ProbeTools& tools, ProcessMonitors& processes,
                                           const ResourceConfig& resource, StartupWhen when,
                                           StartupDone done) {
  const auto round = std::make_shared<Round>(tools, processes, resource, when, std::move(done));
  round->begin();
  return round;
}

}  // namespace genapp::agent
