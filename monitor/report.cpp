#include "monitor/report.hpp"

#include <unistd.h>

#include <boost/json.hpp>

#include "common/log.hpp"
#include "common/printable.hpp"

namespace genapp::monitor {
namespace {

namespace json = boost::json;
namespace log = common::log;

constexpr std::size_t kMostReasonBytes = 2000;

std::string_view severity_text(log::Level severity) {
  switch (severity) {
    case log::Level::debug:
      return "debug";
    case log::Level::info:
      return "info";
    case log::Level::warn:
      return "warning";
    case log::Level::error:
      return "error";
  }
  return "error";
}

// Of events that nobody took in time.
std::string lost_json(std::size_t lines) {
  return json::serialize(json::object{{"time", common::utc_text(common::WallClock::now())},
                                      {"lost_events", lines}}) +
         "\n";
}

void log_line(log::Level severity, const std::string& line) {
  switch (severity) {
    case log::Level::debug:
      return log::debug(line);
    case log::Level::info:
      return log::info(line);
    case log::Level::warn:
      return log::warn(line);
    case log::Level::error:
      return log::error(line);
  }
}

}  // namespace

std::string report_line(Protocol protocol, const std::string& id, const Report& report) {
  const std::string text = event_text(report.event, protocol, report.code, report.function);
  return text + " [ID:" + id + "]" + (report.reason.empty() ? "" : ": " + report.reason);
}

std::string report_json(Protocol protocol, const std::string& id, const Report& report,
                        common::WallClock::time_point now) {
  json::object object{{"time", common::utc_text(now)},
                      {"event", static_cast<int>(report.event)},
                      {"severity", std::string(severity_text(event_row(report.event).severity))},
                      {"command", std::string(command_name(protocol))},
                      {"id", id},
                      {"text", event_text(report.event, protocol, report.code, report.function)}};
  if (!report.reason.empty()) {
    object["reason"] = common::printable_utf8(report.reason, kMostReasonBytes);
  }
  if (report.code_is_errno && report.code != 0) {
    object["errno"] = report.code;
    if (const auto name = errno_name(report.code); !name.empty()) object["errno_name"] = name;
  } else if (report.code != 0) {
    object["code"] = report.code;
  }
  return json::serialize(object) + "\n";
}

std::string once_json(const Settings& settings, const CheckResult& result) {
  json::object object{{"ok", !result.fault},
                      {"server", common::printable_utf8(server_text(settings), kMostReasonBytes)},
                      {"address", result.address},
                      {"took_ms", std::chrono::duration<double, std::milli>(result.took).count()}};
  if (!result.seen.empty()) object["seen"] = common::printable_utf8(result.seen, kMostReasonBytes);
  if (const auto& fault = result.fault) {
    object["event"] = static_cast<int>(fault->event);
    object["reason"] = common::printable_utf8(fault->reason, kMostReasonBytes);
    object["timed_out"] = fault->timed_out;
    if (fault->code != 0) object["code"] = fault->code;
  }
  if (result.certificate_days) object["certificate_days"] = *result.certificate_days;
  return json::serialize(object) + "\n";
}

Reporter::Reporter(Protocol protocol, std::string id, bool json)
    : protocol_(protocol), id_(std::move(id)), json_(json), out_(STDOUT_FILENO, &lost_json) {
  if (json) {
    log::to_syslog(command_name(protocol), log::Level::info);
  } else {
    log::to_stderr_and_syslog(command_name(protocol), log::Level::info);
  }
}

void Reporter::tell(const Report& report) {
  log_line(event_row(report.event).severity, report_line(protocol_, id_, report));
  if (json_) out_.put(report_json(protocol_, id_, report, common::WallClock::now()));
}

}  // namespace genapp::monitor
