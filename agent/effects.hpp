#pragma once

// What the supervisor has others do. Everything returns at once; ends and verdicts are told to the
// supervisor later, never from within a call. Faked in the supervisor's tests.

#include <string>

#include "agent/config.hpp"
#include "agent/machine.hpp"
#include "agent/notice.hpp"
#include "agent/record.hpp"

namespace genapp::agent {

struct TaskRun {
  Task task{};
  Attributes::Duration limit{};
  // A monitor's cleanup or restart method in place of remove or restore; empty: these.
  Argv method{};
  // Of a start: `recover` in place of restore; of a clean: there is none, it is done at once.
  bool by_recover = false;
  // Of a clean by a method: what follows it is restore. It is recorded to be out of service when it
  // has ended well, as by remove, so that what is in service was started after it.
  bool restore_follows = false;
  // Of a monitor: only what is recorded to be out of service is offline; what is in service and
  // fails its quickCheck is not. One that fails may run nevertheless, and nothing may be started
  // elsewhere, or here a second time, before it was taken out.
  bool in_service_is_online = false;
  // And one whose start failed (OSF) is neither: the remove that was to follow has failed, too.
  bool failed_is_unknown = false;
  // Of a start: the startup monitors are asked first whether it runs already (then nothing is
  // started and it is recorded to be in service), and afterwards until all say that it runs.
  bool with_startup_monitors = false;
};

// What is run beside a resource's tasks: notify and on_fallover.
struct Method {
  std::string what;  // "notify of monitor db", "on_fallover of group web": for notices
  Argv argv;
  std::string event;    // GENAPP_EVENT: "restart", "notify", "fallover"
  std::string monitor;  // GENAPP_MONITOR; empty: none
  std::string group;    // GENAPP_GROUP; empty: none
  std::string reason;   // GENAPP_REASON
};

class Effects {
 public:
  virtual ~Effects() = default;

  // Begins a task of the resource; one at a time a resource. Its end is told by
  // Supervisor::ended(). A start, stop or clean outlives the agent.
  virtual void run(const ResourceConfig& resource, const TaskRun& task) = 0;
  // A monitor task under way is not needed any more: it is ended, and its end told to nobody.
  virtual void drop(const ResourceConfig& resource) = 0;
  // A start, stop or clean that an earlier agent has begun: its end is waited for and told as
  // `done` whatever its code, which nobody can know any more; a clean is then made again. One of
  // which it is known that it never ran, or can't be told whether it did, is run again, unless it
  // is a start by restore whose resource is recorded to be in service: that one is told as done. A
  // restart by `recover` or a method says nothing by that, since what it restarts is in service all
  // along.
  virtual void adopt(const ResourceConfig& resource, const TaskRun& task) = 0;

  // A long-running monitor begins, or is given up. Its verdicts are told by
  // Supervisor::monitor_saw(): the first, and each that differs from the one before; of a process
  // monitor each further death too.
  virtual void watch(const ResourceConfig& resource, const MonitorConfig& monitor) = 0;
  virtual void unwatch(const ResourceConfig& resource, const std::string& monitor) = 0;

  // Runs a command of a user's, 60 s at most; failures are told as notices.
  virtual void run_method(const ResourceConfig& resource, const Method& method) = 0;

  // Keeps what a later agent must know, in place of what was kept before.
  virtual void keep(const ResourceConfig& resource, const Record& record) = 0;
  // The resource is none of the agent's any more: nothing is kept of it, nothing watched or told.
  virtual void forget(const ResourceConfig& resource) = 0;

  virtual void tell(const Notice& notice) = 0;
};

}  // namespace genapp::agent
