#pragma once

// The command lines of httpmon and smtpmon (seed 004, and what genapp adds). Reads --user-file and
// nothing else.

#include <optional>
#include <string>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "monitor/monitor_id.hpp"
#include "monitor/settings.hpp"

namespace genapp::monitor {

enum class Verb { start, once, stop, pause, resume, disp, del, list };

struct CommandLine {
  Verb verb = Verb::start;
  std::optional<MonitorId> id{};  // always there but for once and list
  Settings settings{};            // of start and once
  common::Clock::duration stop_wait = std::chrono::seconds(10);
  bool json = false;
};

// No identifier on a command line that needs one: event 13.
class NoIdentifier : public common::Error {
 public:
  NoIdentifier() : Error("the first argument is the monitor's ID", common::ExitCode::usage) {}
};

// argv[0] is the command's name. Throws common::Error (exit code 64) that names the argument, or
// the
// --user-file that can't be read.
CommandLine parse_command_line(Protocol protocol, int argc, const char* const* argv);

// --help's text.
std::string usage_text(Protocol protocol);

// For the event that tells of a wrong command line: its first argument, if that is an identifier;
// else "-".
std::string id_for_report(int argc, const char* const* argv);

}  // namespace genapp::monitor
