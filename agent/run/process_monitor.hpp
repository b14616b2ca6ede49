#pragma once

// Monitors of the kind process: whether as many processes of a name run as are to. Each process is
// held by a pidfd, so its death is an event and nothing is asked while it lives. That there is one
// too many has no event: all are counted at times, for all monitors together.

#include <functional>
#include <memory>
#include <string>

#include "agent/config.hpp"
#include "agent/supervisor.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::agent {

class ProcessMonitors {
 public:
  // The first verdict, each that differs from the one before, and each further death. Called from
  // the event loop, never from within watch().
  using Saw = std::function<void(const Verdict& verdict)>;
  using Number = std::uint64_t;

  // `io` outlives it. `complain`: of what can't be watched, once until it can again.
  ProcessMonitors(boost::asio::io_context& io, std::function<void(const std::string&)> complain);
  ~ProcessMonitors();
  ProcessMonitors(const ProcessMonitors&) = delete;
  ProcessMonitors& operator=(const ProcessMonitors&) = delete;

  Number watch(const ProcessRule& rule, Saw saw);
  // Nothing is told any more.
  void unwatch(Number monitor);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace genapp::agent
