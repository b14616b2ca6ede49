#pragma once

// What a daemon says of itself on its control socket, as one line of JSON; and the line in its flag
// file. docs/lbhc.md documents both; names and meanings stay.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.hpp"

namespace genapp::lbhc {

enum class Phase {
  starting,  // waits for the first probe
  serving,
  draining,
};

std::string_view phase_text(Phase phase);

struct LastProbe {
  std::int64_t age_ms = 0;
  std::string time;    // UTC, "2026-11-22T08:15:02.123Z"
  std::string source;  // address
  friend bool operator==(const LastProbe&, const LastProbe&) = default;
};

struct Status {
  std::string tag;
  std::string id;
  pid_t pid = 0;
  Phase phase = Phase::starting;
  bool foreground = false;  // lbhcd, and not started by restore or recover
  std::uint16_t port = 0;
  std::string protocol;
  std::int64_t hc_timeout_ms = 0;
  std::int64_t uptime_ms = 0;
  std::uint64_t probes = 0;
  std::uint64_t answered = 0;
  std::uint64_t undelivered = 0;
  std::uint64_t others = 0;
  std::uint64_t connections = 0;
  std::optional<LastProbe> last_probe;
  std::optional<std::int64_t> lease_ms;  // what is left of it; nothing when there is none
  std::optional<std::string> no_probe;   // why the flag is up; nothing while it is down
  friend bool operator==(const Status&, const Status&) = default;
};

// One line, with its line feed.
std::string format_status(const Status& status);
// Nothing when the text is not such a line.
std::optional<Status> parse_status(std::string_view line);

// "never probed", or "stopped after 12 probes at 2026-11-22T08:15:02.123Z".
std::string no_probe_cause(std::uint64_t probes, const std::optional<LastProbe>& last_probe);

// The flag file's line.
std::string format_flag(const Status& status, common::WallClock::time_point raised);

}  // namespace genapp::lbhc
