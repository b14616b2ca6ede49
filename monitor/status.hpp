#pragma once

// What a monitor says of itself: on its control socket as a line of JSON, on --disp and --list as
// text. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace genapp::monitor {

struct LastCheck {
  bool ok = false;
  std::int64_t age_ms = 0;  // since it ended
  double took_ms = 0;
  std::string seen{};          // the server's words
  std::string reason{};        // of a failure
  std::optional<int> event{};  // its number, of a failure
};

struct ResponseMs {
  double min = 0, p50 = 0, p99 = 0, last = 0;
};

struct Status {
  std::string id;
  std::string command;
  int pid = 0;
  std::string state;  // monitoring, checking, paused; in lists also dead, hung, unknown
  std::string server;
  std::int64_t interval_ms = 0;
  std::int64_t wait_ms = 0;
  std::uint64_t retries = 0;
  std::int64_t uptime_ms = 0;
  std::uint64_t checks = 0;   // judged
  std::uint64_t failed = 0;   // of them
  std::uint64_t skipped = 0;  // not started: the monitor was late, or too many were under way
  std::uint64_t dropped = 0;  // not judged: the monitor was itself not running
  std::uint64_t pending_failures = 0;
  std::optional<LastCheck> last{};
  std::optional<ResponseMs> response{};
  std::optional<int> certificate_days{};
};

// One line of JSON with its line feed, and back. Keys that are unknown are passed over; nothing
// when the text is no status.
std::string format_status(const Status& status);
std::optional<Status> parse_status(std::string_view text);

// --disp: "key: value", a line each.
std::string disp_text(const Status& status);
// --list: a table with a heading; only the heading when there are none.
std::string list_text(const std::vector<Status>& monitors);
// --list --json: an array on one line.
std::string list_json(const std::vector<Status>& monitors);

}  // namespace genapp::monitor
