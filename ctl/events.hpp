#pragma once

// `genapp events`: what the agent has told lately.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ctl/agent_status.hpp"
#include "ctl/output.hpp"

namespace genapp::ctl {

struct EventsArgs {
  bool follow = false;
  bool json = false;
  std::size_t count = 100;  // of those that there are at first; 0: none
};

// Throws common::Error (exit code 64).
EventsArgs parse_events_args(int argc, const char* const* argv);

// A line each: TIME SEVERITY KIND "TAG: TEXT", or the agent's JSON.
std::string events_text(const AgentEvents& events, bool json);

// Goes from look to look, also when another agent takes the place of the one that was asked.
class EventsFollower {
 public:
  // From a request to the answer, or to nothing when no agent runs.
  using Ask = std::function<std::optional<std::string>(std::string_view request)>;

  EventsFollower(const EventsArgs& args, Ask ask) : args_(args), ask_(std::move(ask)) {}

  // Those that are new since the last look: an agent goes on with the numbers of the one before.
  // Where it is not the one of the last look, or has gone, this is said once. Throws common::Error
  // when no agent runs at the first look, or the answer is none.
  Block look();

 private:
  std::string request() const;
  Block gone();

  EventsArgs args_;
  Ask ask_;
  bool first_ = true;
  bool told_ = false;  // that it has gone
  std::int64_t pid_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace genapp::ctl
