#pragma once

// The agent's mind: the machines of all resources, their groups, dependencies and monitors. What
// happened goes in, what is to be done goes to Effects. Pure but for those; the time is given and
// never goes back.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.hpp"
#include "agent/effects.hpp"
#include "agent/machine.hpp"
#include "agent/record.hpp"
#include "agent/view.hpp"
#include "common/clock.hpp"

namespace genapp::agent {

// What a person can ask for; of one resource or of a group.
enum class Request { online, offline, enable, disable, clear, suspend, resume };

struct Answer {
  bool accepted = false;
  std::string text{};  // why not, or what is worth saying; one line
};

// What a monitor has seen.
struct Verdict {
  bool healthy = false;
  std::string reason{};  // one line
};

class Supervisor {
 public:
  using Clock = common::Clock;

  // A resource, and what an earlier agent kept of it; of no use where it is known already, or was
  // kept of another id.
  struct Known {
    ResourceConfig config;
    std::optional<Record> record{};
  };

  // `effects` outlives it.
  explicit Supervisor(Effects& effects);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // The resources, sound together (require_sound_dependencies()): at the start, and whenever the
  // files were read anew. Those that were known go on with their new settings; those that are not
  // there any more are dropped as they are, stopped by nobody.
  void set_resources(std::vector<Known> resources, std::map<std::string, GroupConfig> groups,
                     Clock::time_point now);

  Answer request(Request request, const common::Tag& tag, Clock::time_point now);
  Answer request_group(Request request, const std::string& group, Clock::time_point now);

  // Of what Effects were told to run. `reason` is a line for people. Anything that is not expected
  // (any more) is passed over.
  void ended(const std::string& tag, Task task, Ended how, const std::string& reason,
             Clock::time_point now);
  void monitor_saw(const std::string& tag, const std::string& monitor, const Verdict& verdict,
                   Clock::time_point now);

  // When something is due; then tick().
  std::optional<Clock::time_point> due() const;
  void tick(Clock::time_point now);

  View view() const;
  std::optional<ResourceView> view(const std::string& tag) const;
  // Goes up with everything that view() would show otherwise.
  std::uint64_t version() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace genapp::agent
