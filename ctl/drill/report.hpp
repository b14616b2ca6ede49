#pragma once

// What a drill found: the verdict, and how it is told. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/drill/fault.hpp"

namespace genapp::ctl::drill {

using Milliseconds = std::chrono::milliseconds;

// Times are since the fault was made; those from before it are negative.
struct Event {
  enum class Kind { made, waiting, seen, refused, ended, recovered, failed };
  Kind kind = Kind::made;
  Milliseconds at{};
  std::string text;
};

// The drill's own probes (--probe).
struct ProbeCount {
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;  // refused, reset, or without an answer for 1 s
};

// One fault, from its making to the end.
struct Trial {
  Fault fault = Fault::no_probe;
  std::vector<Event> events;
  std::optional<Milliseconds> seen;       // quickCheck was 1, for this fault
  std::optional<Milliseconds> refused;    // recover was 1, for this fault
  std::optional<Milliseconds> recovered;  // recover was 0, and then quickCheck
  // The time in which a probe may have got no answer, at most: from the fault, or from recover's
  // beginning where the daemon answers until then, to recover's end.
  std::optional<Milliseconds> unanswered;
  std::optional<ProbeCount> probes;
  std::string not_run;  // why it was not made; empty: it was
  std::string problem;  // what went wrong; empty: nothing
  bool put_back = true;
};

struct Report {
  std::string tag;
  std::string id;
  std::uint16_t port = 0;
  Milliseconds hc_timeout{};
  std::vector<Trial> runs;
};

enum class Result { passed, failed, not_run };

// Passed: seen, and recovered after the refusals that belong to the fault, and nothing went wrong.
Result result_of(const Trial& run);
std::string_view result_text(Result result);  // "passed", "failed", "not run"
// At least one fault passed and none failed.
bool all_well(const Report& report);

// Whether quickCheck's failure, or recover's, tells of this fault.
bool tells_of(const Row& row, std::string_view quick_check_message);
bool is_refusal(const Row& row, std::string_view recover_message);

// The reason in what an action wrote to standard error: its last line of level error, without what
// stands before the reason; the last line when there is none.
std::string reason_in(std::string_view tag, std::string_view err);

std::string event_line(const Event& event);  // "     0.052 s  seen: ..." and a line feed
std::string result_lines(const Trial& run);  // after a fault
std::string summary_table(const Report& report);

// One line, with its line feed; documented in genapp(8). Names and meanings stay; keys may be
// added.
std::string report_json(const Report& report);

}  // namespace genapp::ctl::drill
