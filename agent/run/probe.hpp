#pragma once

// One check of a monitor's: of the kinds that are asked (custom, quickcheck, http, smtp), and how a
// process monitor is asked once. What follows from it is for others.

#include <functional>
#include <memory>
#include <string>

#include "agent/config.hpp"
#include "agent/run/launcher.hpp"
#include "agent/run/surroundings.hpp"
#include "common/clock.hpp"

namespace genapp::monitor {
class Resolver;
}

namespace genapp::agent {

struct ProbeResult {
  enum class Seen { healthy, failed, nothing };  // nothing: this node could not make the check
  Seen seen = Seen::nothing;
  std::string reason{};  // one line; may be empty with healthy
  common::Clock::duration took{};
};

// What every check needs; outlives them.
struct ProbeTools {
  boost::asio::io_context& io;
  Launcher& launcher;
  monitor::Resolver& resolver;
  const Surroundings& around;
};

class Prober {
 public:
  using Done = std::function<void(const ProbeResult&)>;

  // `monitor` is not of kind process. A certificate that can't be read fails each check.
  Prober(const ProbeTools& tools, const ResourceConfig& resource, const MonitorConfig& monitor);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // The time of a check: custom and quickcheck have their interval.
  common::Clock::duration limit() const;
  // `done` is called once, from the event loop, unless what is returned is dropped before: then a
  // command under way is ended. One at a time; the Prober outlives it.
  std::shared_ptr<void> start(common::Clock::duration limit, Done done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace genapp::agent
