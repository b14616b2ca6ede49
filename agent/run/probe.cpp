#include "agent/run/probe.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <optional>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "monitor/check.hpp"
#include "monitor/http_check.hpp"
#include "monitor/resolver.hpp"
#include "monitor/smtp_check.hpp"

namespace genapp::agent {
namespace {

using common::Clock;
using Seen = ProbeResult::Seen;

// The TLS that is asked for; nothing when none is.
const monitor::TlsSettings* tls_of(const MonitorConfig& monitor) {
  if (monitor.kind == MonitorKind::http) return monitor.http.tls ? &*monitor.http.tls : nullptr;
  if (monitor.kind != MonitorKind::smtp) return nullptr;
  return monitor.smtp.how == monitor::SmtpSettings::Tls::none ? nullptr : &monitor.smtp.tls;
}

ProbeResult result_of_check(const monitor::CheckResult& check) {
  if (!check.fault) return {Seen::healthy, "", check.took};
  const bool no_socket = check.fault->event == monitor::Event::socket_error;
  return {no_socket ? Seen::nothing : Seen::failed, check.fault->reason, check.took};
}

ProbeResult result_of_command(const JobEnd& end, const std::string& name, Clock::duration limit) {
  const Seen bad = end.how == JobEnd::How::not_started ? Seen::nothing : Seen::failed;
  if (end.well()) return {Seen::healthy, "", end.took};
  return {bad, reason_of(end, name, limit), end.took};
}

}  // namespace

class Prober::Impl {
 public:
  Impl(const ProbeTools& tools, const ResourceConfig& resource, const MonitorConfig& monitor)
      : tools_(tools),
        tag_(resource.tag),
        id_(resource.id),
        group_(resource.group),
        monitor_(monitor) {
    if (const monitor::TlsSettings* settings = tls_of(monitor_)) {
      try {
        tls_.emplace(*settings);
      } catch (const common::Error& problem) {
        problem_ = problem.what();
      }
    }
  }

  Clock::duration limit() const {
    return is_command() ? monitor_.monitor_interval : monitor_.check_timeout;
  }

  std::shared_ptr<void> start(Clock::duration limit, Done done) {
    if (!problem_.empty()) return fail(std::move(done));
    if (is_command()) return run(limit, std::move(done));
    const monitor::TlsContext* tls = tls_ ? &*tls_ : nullptr;
    auto told = [done = std::move(done)](const monitor::CheckResult& check) {
      const Done call = done;  // which may drop the check and us with it
      call(result_of_check(check));
    };
    if (monitor_.kind == MonitorKind::http) {
      return monitor::start_http_check(tools_.io, tools_.resolver, monitor_.http, tls, limit,
                                       std::move(told));
    }
    return monitor::start_smtp_check(tools_.io, tools_.resolver, monitor_.smtp, tls, limit,
                                     std::move(told));
  }

 private:
  bool is_command() const {
    return monitor_.kind == MonitorKind::custom || monitor_.kind == MonitorKind::quick_check;
  }

  std::shared_ptr<void> fail(Done done) {
    auto alive = std::make_shared<bool>(true);
    boost::asio::post(tools_.io,
                      [weak = std::weak_ptr(alive), done = std::move(done), problem = problem_] {
                        if (weak.lock()) done({Seen::failed, problem});
                      });
    return alive;
  }

  std::shared_ptr<void> run(Clock::duration limit, Done done) {
    JobSetup call = call_of();
    call.limit = limit;
    const std::string name =
        monitor_.kind == MonitorKind::custom ? monitor_.command.front() : "quickCheck";
    return std::make_shared<Job>(tools_.io, tools_.launcher, std::move(call),
                                 [done = std::move(done), name, limit](const JobEnd& end) {
                                   done(result_of_command(end, name, limit));
                                 });
  }

  JobSetup call_of() const {
    if (monitor_.kind == MonitorKind::quick_check) {
      JobSetup call = program_call(tools_.around, "quickCheck", tag_, id_);
      call.signal = monitor_.hung_signal;
      call.to_group = true;
      call.grace = std::chrono::seconds(1);
      return call;
    }
    UserCommand command{monitor_.command, tag_.text(), id_.text()};
    command.event = "monitor";
    command.monitor = monitor_.name;
    command.group = group_;
    return user_call(tools_.around, command, monitor_.hung_signal);
  }

  ProbeTools tools_;
  common::Tag tag_;
  common::Id id_;
  std::string group_;
  MonitorConfig monitor_;
  std::optional<monitor::TlsContext> tls_{};
  std::string problem_{};
};

Prober::Prober(const ProbeTools& tools, const ResourceConfig& resource,
               const MonitorConfig& monitor)
    : impl_(std::make_unique<Impl>(tools, resource, monitor)) {}

Prober::~Prober() = default;

Clock::duration Prober::limit() const { return impl_->limit(); }

std::shared_ptr<void> Prober::start(Clock::duration limit, Done done) {
  return impl_->start(limit, std::move(done));
}

}  // namespace genapp::agent
