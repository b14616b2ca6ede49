#include "agent/run/actions.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>

#include "agent/run/task_file.hpp"
#include "agent/view.hpp"
#include "cluster/registry.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"

namespace genapp::agent {
namespace {

namespace paths = common::paths;
using common::Error;

// Of the executable that does it.
std::string program_of(const TaskRun& task) {
  switch (task.task) {
    case Task::open:
      break;
    case Task::monitor:
      return "quickCheck";
    case Task::start:
      return task.by_recover ? "recover" : "restore";
    case Task::stop:
    case Task::clean:
      return "remove";
  }
  return "";
}

bool outlives_agent(Task task) { return task != Task::open && task != Task::monitor; }

// And not a restart of what may be in service.
bool is_restore(const TaskRun& task) {
  return task.task == Task::start && !task.by_recover && task.method.empty();
}

// What a monitor's verdict is of quickCheck's end.
Ended verdict_of(const JobEnd& end) {
  if (end.how == JobEnd::How::timed_out) return Ended::timed_out;
  if (end.how == JobEnd::How::not_started || end.ending.signalled) return Ended::unknown;
  if (end.ending.number == 0) return Ended::done;
  return end.ending.number == 1 ? Ended::failed : Ended::unknown;
}

Ended result_of(const JobEnd& end) {
  if (end.how == JobEnd::How::timed_out) return Ended::timed_out;
  return end.well() ? Ended::done : Ended::failed;
}

}  // namespace

class Actions::Impl : public std::enable_shared_from_this<Actions::Impl> {
 public:
  explicit Impl(Setup setup) : setup_(std::move(setup)), files_(setup_.run_dir) {}

  void run(const ResourceConfig& resource, const TaskRun& task) {
    Run& run = begin(resource, task);
    if (task.task == Task::open) return open(run);
    if (task.task == Task::monitor) return monitor(run);
    if (task.task == Task::clean && task.by_recover) return end_soon(run, Ended::done, "");
    if (task.task == Task::start && task.with_startup_monitors) return ask_before(run);
    act(run);
  }

  void adopt(const ResourceConfig& resource, const TaskRun& task) {
    const auto left = left_of(resource.tag);
    if (left && left->task == task.task && left->process) {
      return wait_for(begin(resource, task), *left->process);
    }
    if (is_restore(task) && in_service(resource.id)) {
      return end_soon(begin(resource, task), Ended::done, "it is in service");
    }
    run(resource, task);
  }

  void drop(const std::string& tag) {
    const auto at = runs_.find(tag);
    if (at != runs_.end() && !outlives_agent(at->second.task.task)) runs_.erase(at);
  }

  void forget(const common::Tag& tag) {
    runs_.erase(tag.text());
    remove_file(tag);
  }

 private:
  // A task under way.
  struct Run {
    std::uint64_t number;
    ResourceConfig resource;
    TaskRun task;
    std::unique_ptr<Job> job{};
    std::shared_ptr<void> startup{};
  };

  // What a task needs of a resource: the monitors only where they are asked.
  static ResourceConfig needed(const ResourceConfig& resource, const TaskRun& task) {
    if (task.with_startup_monitors) return resource;
    ResourceConfig part{resource.tag, resource.id, resource.type};
    part.group = resource.group;
    return part;
  }

  Run& begin(const ResourceConfig& resource, const TaskRun& task) {
    const std::string& tag = resource.tag.text();
    runs_.erase(tag);
    return runs_.emplace(tag, Run{++last_, needed(resource, task), task}).first->second;
  }

  // `then` with the run, if that is still under way.
  template <typename Then>
  auto guarded(const Run& run, Then then) {
    return [weak = weak_from_this(), tag = run.resource.tag.text(), number = run.number,
            then](const auto& what) {
      const auto self = weak.lock();
      if (!self) return;
      const auto at = self->runs_.find(tag);
      if (at != self->runs_.end() && at->second.number == number) then(at->second, what);
    };
  }

  void open(Run& run) {
    try {
      const auto found = cluster::Registry(paths::resources_dir()).read(run.resource.tag);
      if (found.id == run.resource.id) return end_soon(run, Ended::done, "");
      end_soon(run, Ended::failed, "its id is now " + common::quoted(found.id.text()));
    } catch (const Error& problem) {
      end_soon(run, Ended::failed, problem.what());
    }
  }

  void monitor(Run& run) {
    try {
      const auto state = cluster::StateFile(setup_.run_dir, run.resource.id).read();
      if (run.task.failed_is_unknown && state == common::State::out_failed) {
        return end_soon(run, Ended::unknown,
                        "its start has failed and so has its remove: what they left is not known; "
                        "see to it, then call remove");
      }
      if (!common::in_service(state)) return end_soon(run, Ended::failed, "it is out of service");
    } catch (const Error& problem) {
      return end_soon(run, Ended::unknown, problem.what());
    }
    JobSetup call =
        program_call(setup_.around, program_of(run.task), run.resource.tag, run.resource.id);
    call.limit = run.task.limit;
    call.signal = SIGKILL;
    start_job(run, std::move(call), [this](Run& ended, const JobEnd& end) {
      const TaskRun& task = ended.task;
      const std::string reason = reason_of(end, program_of(task), task.limit);
      const Ended verdict = verdict_of(end);
      if (verdict != Ended::failed || !task.in_service_is_online) {
        return end_now(ended, verdict, reason);
      }
      end_now(ended, Ended::done, "it is recorded to be in service, and not healthy: " + reason);
    });
  }

  void ask_before(Run& run) {
    run.startup = setup_.ask_startup(
        run.resource, StartupWhen::before,
        guarded(run, [this](Run& asked, const std::optional<std::string>& problem) {
          if (problem) return act(asked);
          end_in_service(asked, "it runs already: its startup monitors say so");
        }));
  }

  // A start, stop or clean.
  void act(Run& run) {
    JobSetup call = call_of(run);
    call.urgency = Urgency::action;
    call.outlives_us = true;
    call.limit = run.task.limit;
    try {
      call.pid_record = files_.begin(run.resource.tag, run.task.task);
    } catch (const Error& problem) {
      // An application is worth more than the record of its start.
      complain(run.resource.tag, problem.what());
    }
    start_job(run, std::move(call), [this](Run& ended, const JobEnd& end) { acted(ended, end); });
  }

  JobSetup call_of(const Run& run) const {
    const ResourceConfig& resource = run.resource;
    if (run.task.method.empty()) {
      return program_call(setup_.around, program_of(run.task), resource.tag, resource.id);
    }
    UserCommand command{run.task.method, resource.tag.text(), resource.id.text()};
    command.event = run.task.task == Task::start ? "restart" : "cleanup";
    command.group = resource.group;
    JobSetup call = user_call(setup_.around, command, SIGTERM);
    call.output = JobSetup::Output::file;
    call.grace = JobSetup().grace;
    return call;
  }

  std::string name_of_call(const Run& run) const {
    return run.task.method.empty() ? program_of(run.task) : run.task.method.front();
  }

  void acted(Run& run, const JobEnd& end) {
    const Ended how = result_of(end);
    if (how == Ended::done && run.task.restore_follows) record_out(run.resource);
    if (how != Ended::done || run.task.task != Task::start) {
      return end_now(run, how, reason_of(end, name_of_call(run), run.task.limit));
    }
    started(run);
  }

  void started(Run& run) {
    if (!run.task.with_startup_monitors) return end_started(run);
    run.startup = setup_.ask_startup(
        run.resource, StartupWhen::after,
        guarded(run, [this](Run& asked, const std::optional<std::string>& problem) {
          if (problem) return end_now(asked, Ended::failed, *problem);
          end_started(asked);
        }));
  }

  // Restore and recover record the state themselves.
  void end_started(Run& run) {
    if (run.task.method.empty()) return end_now(run, Ended::done, "");
    end_in_service(run, "");
  }

  void end_in_service(Run& run, const std::string& reason) {
    try {
      if (!in_service(run.resource.id)) {
        cluster::record_state(setup_.run_dir, run.resource.id, common::State::in_service_protected);
      }
    } catch (const Error& problem) {
      return end_now(run, Ended::failed, problem.what());
    }
    end_now(run, Ended::done, reason);
  }

  // A restart is worth more than the record of its clean.
  void record_out(const ResourceConfig& resource) {
    try {
      cluster::record_state(setup_.run_dir, resource.id, common::State::out_unimpaired);
    } catch (const Error& problem) {
      complain(resource.tag, problem.what());
    }
  }

  void wait_for(Run& run, const common::PidRecord& process) {
    JobSetup setup;
    setup.outlives_us = true;
    setup.limit = run.task.limit;
    run.job = std::make_unique<Job>(
        setup_.io, process, std::move(setup), guarded(run, [this](Run& ended, const JobEnd& end) {
          if (end.how == JobEnd::How::timed_out || ended.task.task == Task::stop) {
            return end_now(ended, result_of(end), "an earlier agent had begun it");
          }
          // A start may follow a clean at once, so how that went must be known: it is made again.
          if (ended.task.task == Task::clean) return act(ended);
          started(ended);
        }));
  }

  template <typename Then>
  void start_job(Run& run, JobSetup call, Then then) {
    run.job = std::make_unique<Job>(setup_.io, setup_.launcher, std::move(call),
                                    guarded(run, std::move(then)));
  }

  void end_soon(Run& run, Ended how, const std::string& reason) {
    boost::asio::post(
        setup_.io,
        [end = guarded(
             run, [this, how](Run& ended, const std::string& why) { end_now(ended, how, why); }),
         reason] { end(reason); });
  }

  void end_now(Run& run, Ended how, const std::string& reason) {
    const std::string tag = run.resource.tag.text();
    const Task task = run.task.task;
    if (outlives_agent(task)) remove_file(run.resource.tag);
    runs_.erase(tag);
    setup_.ended(tag, task, how, reason);
  }

  void remove_file(const common::Tag& tag) const {
    try {
      files_.end(tag);
    } catch (const Error& problem) {
      complain(tag, problem.what());
    }
  }

  std::optional<TaskFiles::Left> left_of(const common::Tag& tag) const {
    try {
      return files_.read(tag);
    } catch (const Error& problem) {
      complain(tag, problem.what());
      return std::nullopt;
    }
  }

  bool in_service(const common::Id& id) const {
    try {
      return common::in_service(cluster::StateFile(setup_.run_dir, id).read());
    } catch (const Error&) {
      return false;
    }
  }

  void complain(const common::Tag& tag, const std::string& text) const {
    setup_.tell({NoticeKind::agent, Severity::error, tag.text(), text});
  }

  Setup setup_;
  TaskFiles files_;
  std::map<std::string, Run> runs_{};  // by tag
  std::uint64_t last_ = 0;
};

Actions::Actions(Setup setup) : impl_(std::make_shared<Impl>(std::move(setup))) {}

Actions::~Actions() = default;

void Actions::run(const ResourceConfig& resource, const TaskRun& task) {
  impl_->run(resource, task);
}

void Actions::adopt(const ResourceConfig& resource, const TaskRun& task) {
  impl_->adopt(resource, task);
}

void Actions::drop(const std::string& tag) { impl_->drop(tag); }

void Actions::forget(const common::Tag& tag) { impl_->forget(tag); }

}  // namespace genapp::agent
