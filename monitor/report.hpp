#pragma once

// Telling of events: a line on standard error and one in syslog; with --json an object a line on
// standard output instead of the first. Neither ever waits for who reads them.

#include <optional>
#include <string>

#include "common/clock.hpp"
#include "common/unwaited.hpp"
#include "monitor/check.hpp"
#include "monitor/events.hpp"
#include "monitor/settings.hpp"

namespace genapp::monitor {

struct Report {
  Event event{};
  std::string reason{};  // one line; may be empty
  int code = 0;          // for the event's text: an errno, a status code, days
  bool code_is_errno = false;
  std::string function{};  // of system_error: what failed
};

// "httpmon has detected network error(connect error[111]). [ID:web]: REASON". Pure.
std::string report_line(Protocol protocol, const std::string& id, const Report& report);
// The same as a JSON object with its line feed. Pure.
std::string report_json(Protocol protocol, const std::string& id, const Report& report,
                        common::WallClock::time_point now);

// --once --json: what one check found, as a JSON object with its line feed. Pure.
std::string once_json(const Settings& settings, const CheckResult& result);

class Reporter {
 public:
  // Sets the process's log up.
  Reporter(Protocol protocol, std::string id, bool json);
  void tell(const Report& report);

  Protocol protocol() const { return protocol_; }
  const std::string& id() const { return id_; }

 private:
  Protocol protocol_;
  std::string id_;
  bool json_;
  common::UnwaitedLines out_;
};

}  // namespace genapp::monitor
