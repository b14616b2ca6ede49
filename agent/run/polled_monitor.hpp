#pragma once

// A monitor of kind custom, quickcheck, http or smtp: asked at its interval, one check at a time.

#include <functional>
#include <memory>
#include <string>

#include "agent/run/probe.hpp"
#include "agent/supervisor.hpp"

namespace genapp::agent {

class PolledMonitor {
 public:
  // The first verdict, and each that differs from the one before; from the event loop, never from
  // within the constructor.
  using Saw = std::function<void(const Verdict& verdict)>;

  // The first check is made at once. `complain`: that a check can't be made; once until one can.
  PolledMonitor(const ProbeTools& tools, const ResourceConfig& resource,
                const MonitorConfig& monitor, Saw saw,
                std::function<void(const std::string&)> complain);
  // A command under way is ended; nothing is told any more.
  ~PolledMonitor();
  PolledMonitor(const PolledMonitor&) = delete;
  PolledMonitor& operator=(const PolledMonitor&) = delete;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace genapp::agent
