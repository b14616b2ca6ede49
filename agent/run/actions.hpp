#pragma once

// A resource's tasks, done by the four executables, or by a user's command in place of one. Part of
// Effects (agent/effects.hpp), which says what each does. Nothing blocks but a start or a
// clean that records a state itself: cluster::record_state().

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/effects.hpp"
#include "agent/run/launcher.hpp"
#include "agent/run/surroundings.hpp"
#include "common/directory.hpp"

namespace genapp::agent {

enum class StartupWhen { before, after };

// Asks the startup monitors, once before a start, or until all are healthy after it, unless what is
// returned is dropped. The answer comes from the event loop: nothing when all are healthy, else
// what is not.
using StartupDone = std::function<void(const std::optional<std::string>& problem)>;
using AskStartup = std::function<std::shared_ptr<void>(const ResourceConfig& resource,
                                                       StartupWhen when, StartupDone done)>;

class Actions {
 public:
  struct Setup {
    boost::asio::io_context& io;
    Launcher& launcher;
    const Surroundings& around;
    const common::Directory& run_dir;
    AskStartup ask_startup;
    // Called from the event loop, never from within what is called here.
    std::function<void(const std::string& tag, Task task, Ended how, const std::string& reason)>
        ended;
    std::function<void(const Notice&)> tell;
  };

  // What the setup refers to outlives it. Throws common::Error.
  explicit Actions(Setup setup);
  // What outlives the agent goes on.
  ~Actions();
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  void run(const ResourceConfig& resource, const TaskRun& task);
  void adopt(const ResourceConfig& resource, const TaskRun& task);
  // A monitor under way.
  void drop(const std::string& tag);
  // Whatever is under way: its end is told to nobody. What is not a monitor goes on.
  void forget(const common::Tag& tag);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace genapp::agent
