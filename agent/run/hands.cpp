#include "agent/run/hands.hpp"

#include <boost/asio/io_context.hpp>
#include <list>
#include <set>

#include "agent/run/actions.hpp"
#include "agent/run/polled_monitor.hpp"
#include "agent/run/process_monitor.hpp"
#include "agent/run/records.hpp"
#include "agent/run/startup_monitors.hpp"
#include "agent/supervisor.hpp"
#include "common/error.hpp"
#include "monitor/resolver.hpp"

namespace genapp::agent {
namespace {

using common::Clock;

constexpr auto kMethodLimit = std::chrono::seconds(60);

}  // namespace

class Hands::Impl {
 public:
  explicit Impl(Setup setup)
      : setup_(std::move(setup)),
        records_(setup_.run_dir),
        launcher_(setup_.io),
        resolver_(setup_.io),
        tools_{setup_.io, launcher_, resolver_, setup_.around},
        processes_(setup_.io, [this](const std::string& text) { complain("", text); }),
        actions_(actions_setup()) {}

  Actions& actions() { return actions_; }
  const Records& records() const { return records_; }
  void serve(Supervisor& supervisor) { supervisor_ = &supervisor; }

  void watch(const ResourceConfig& resource, const MonitorConfig& monitor) {
    const std::string& tag = resource.tag.text();
    unwatch(tag, monitor.name);
    const auto saw = [this, tag, name = monitor.name](const Verdict& verdict) {
      if (!supervisor_) return;
      supervisor_->monitor_saw(tag, name, verdict, Clock::now());
      setup_.told();
    };
    Watched& watched = watched_[{tag, monitor.name}];
    if (monitor.kind == MonitorKind::process) {
      watched.process = processes_.watch(monitor.process, saw);
      return;
    }
    watched.polled = std::make_unique<PolledMonitor>(
        tools_, resource, monitor, saw, [this, tag, name = monitor.name](const std::string& text) {
          complain(tag, "monitor " + name + " can't check: " + text);
        });
  }

  void unwatch(const std::string& tag, const std::string& monitor) {
    const auto at = watched_.find({tag, monitor});
    if (at == watched_.end()) return;
    if (at->second.process != 0) processes_.unwatch(at->second.process);
    watched_.erase(at);
  }

  void run_method(const ResourceConfig& resource, const Method& method) {
    const std::string& tag = resource.tag.text();
    JobSetup call = user_call(setup_.around,
                              {method.argv, tag, resource.id.text(), method.event, method.monitor,
                               method.group, method.reason},
                              SIGTERM);
    // What it does may be to move a resource to another node: it is not undone by our end.
    call.outlives_us = true;
    call.output = JobSetup::Output::file;
    call.urgency = Urgency::action;
    call.limit = kMethodLimit;
    const auto at = methods_.emplace(methods_.end());
    *at = std::make_unique<Job>(
        setup_.io, launcher_, std::move(call),
        [this, at, tag, what = method.what, name = method.argv.at(0)](const JobEnd& end) {
          methods_.erase(at);
          method_ended(tag, what, name, end);
        });
  }

  void keep(const std::string& tag, const Record& record) {
    try {
      records_.write(tag, record);
      unkept_.erase(tag);
    } catch (const common::Error& problem) {
      if (unkept_.insert(tag).second) {
        complain(tag, std::string(problem.what()) +
                          ": an agent that is started anew will not know the resource's state");
      }
    }
  }

  void forget(const ResourceConfig& resource) {
    const std::string& tag = resource.tag.text();
    actions_.forget(resource.tag);
    while (true) {
      const auto at = watched_.lower_bound({tag, ""});
      if (at == watched_.end() || at->first.first != tag) break;
      unwatch(tag, std::string(at->first.second));
    }
    unkept_.erase(tag);
    try {
      records_.remove(tag);
    } catch (const common::Error& problem) {
      complain(tag, problem.what());
    }
  }

  void tell(const Notice& notice) { setup_.notice(notice); }

 private:
  struct Watched {
    ProcessMonitors::Number process = 0;
    std::unique_ptr<PolledMonitor> polled{};
  };

  Actions::Setup actions_setup() {
    return {setup_.io,
            launcher_,
            setup_.around,
            setup_.run_dir,
            [this](const ResourceConfig& resource, StartupWhen when, StartupDone done) {
              return ask_startup_monitors(tools_, processes_, resource, when, std::move(done));
            },
            [this](const std::string& tag, Task task, Ended how, const std::string& reason) {
              if (!supervisor_) return;
              supervisor_->ended(tag, task, how, reason, Clock::now());
              setup_.told();
            },
            [this](const Notice& notice) { tell(notice); }};
  }

  void method_ended(const std::string& tag, const std::string& what, const std::string& name,
                    const JobEnd& end) {
    const bool well = end.well();
    const std::string reason = reason_of(end, name, kMethodLimit);
    tell({NoticeKind::method, well ? Severity::info : Severity::error, tag,
          what + (well ? " has run" : " failed") + (reason.empty() ? "" : ": " + reason)});
  }

  void complain(const std::string& tag, const std::string& text) {
    tell({NoticeKind::agent, Severity::error, tag, text});
  }

  Setup setup_;
  Records records_;
  Launcher launcher_;
  monitor::Resolver resolver_;
  ProbeTools tools_;
  ProcessMonitors processes_;
  Actions actions_;
  Supervisor* supervisor_ = nullptr;
  std::map<std::pair<std::string, std::string>, Watched> watched_{};  // by tag and monitor
  std::list<std::unique_ptr<Job>> methods_{};
  std::set<std::string> unkept_{};  // tags whose last record could not be written
};

Hands::Hands(Setup setup) : impl_(std::make_unique<Impl>(std::move(setup))) {}

Hands::~Hands() = default;

void Hands::serve(Supervisor& supervisor) { impl_->serve(supervisor); }

std::map<std::string, Record> Hands::read_records() const { return impl_->records().read_all(); }

void Hands::run(const ResourceConfig& resource, const TaskRun& task) {
  impl_->actions().run(resource, task);
}

void Hands::drop(const ResourceConfig& resource) { impl_->actions().drop(resource.tag.text()); }

void Hands::adopt(const ResourceConfig& resource, const TaskRun& task) {
  impl_->actions().adopt(resource, task);
}

void Hands::watch(const ResourceConfig& resource, const MonitorConfig& monitor) {
  impl_->watch(resource, monitor);
}

void Hands::unwatch(const ResourceConfig& resource, const std::string& monitor) {
  impl_->unwatch(resource.tag.text(), monitor);
}

void Hands::run_method(const ResourceConfig& resource, const Method& method) {
  impl_->run_method(resource, method);
}

void Hands::keep(const ResourceConfig& resource, const Record& record) {
  impl_->keep(resource.tag.text(), record);
}

void Hands::forget(const ResourceConfig& resource) { impl_->forget(resource); }

void Hands::tell(const Notice& notice) { impl_->tell(notice); }

}  // namespace genapp::agent
