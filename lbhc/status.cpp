#include "lbhc/status.hpp"

#include <array>
#include <boost/json.hpp>

namespace genapp::lbhc {
namespace {

namespace json = boost::json;

struct PhaseRow {
  Phase phase;
  std::string_view text;
};
constexpr std::array kPhases{PhaseRow{Phase::starting, "starting"},
                             PhaseRow{Phase::serving, "serving"},
                             PhaseRow{Phase::draining, "draining"}};

json::value last_probe_value(const std::optional<LastProbe>& last) {
  if (!last) return nullptr;
  return {{"age_ms", last->age_ms}, {"time", last->time}, {"source", last->source}};
}

std::string text_of(const json::object& object, std::string_view key) {
  return std::string(object.at(key).as_string());
}

// Throws on what no daemon says: port 0, pid 0, anything negative.
template <typename Number>
Number number_from(const json::object& object, std::string_view key, Number least) {
  const auto number = object.at(key).to_number<Number>();
  if (number < least) throw std::invalid_argument(std::string(key));
  return number;
}

Phase phase_of(const json::object& object) {
  const std::string text = text_of(object, "phase");
  for (const PhaseRow& row : kPhases) {
    if (row.text == text) return row.phase;
  }
  throw std::invalid_argument("phase");
}

std::optional<LastProbe> last_probe_of(const json::object& object) {
  const json::value& value = object.at("last_probe");
  if (value.is_null()) return std::nullopt;
  const json::object& last = value.as_object();
  return LastProbe{number_from<std::int64_t>(last, "age_ms", 0), text_of(last, "time"),
                   text_of(last, "source")};
}

// Not there in what a daemon of before leases says: it may outlive the installation of this one.
std::optional<std::int64_t> lease_ms_of(const json::object& object) {
  const json::value* value = object.if_contains("lease_ms");
  if (!value || value->is_null()) return std::nullopt;
  return number_from<std::int64_t>(object, "lease_ms", 0);
}

std::optional<std::string> no_probe_of(const json::object& object) {
  const json::value& value = object.at("no_probe");
  if (value.is_null()) return std::nullopt;
  return std::string(value.as_string());
}

Status status_of(const json::object& object) {
  Status status;
  status.tag = text_of(object, "tag");
  status.id = text_of(object, "id");
  status.pid = number_from<pid_t>(object, "pid", 1);
  status.phase = phase_of(object);
  status.foreground = object.at("foreground").as_bool();
  status.port = number_from<std::uint16_t>(object, "port", 1);
  status.protocol = text_of(object, "protocol");
  status.hc_timeout_ms = number_from<std::int64_t>(object, "hc_timeout_ms", 0);
  status.uptime_ms = number_from<std::int64_t>(object, "uptime_ms", 0);
  status.probes = number_from<std::uint64_t>(object, "probes", 0);
  status.answered = number_from<std::uint64_t>(object, "answered", 0);
  status.undelivered = number_from<std::uint64_t>(object, "undelivered", 0);
  status.others = number_from<std::uint64_t>(object, "others", 0);
  status.connections = number_from<std::uint64_t>(object, "connections", 0);
  status.last_probe = last_probe_of(object);
  status.lease_ms = lease_ms_of(object);
  status.no_probe = no_probe_of(object);
  return status;
}

}  // namespace

std::string_view phase_text(Phase phase) {
  for (const PhaseRow& row : kPhases) {
    if (row.phase == phase) return row.text;
  }
  return "?";
}

std::string format_status(const Status& status) {
  const json::value value{
      {"tag", status.tag},
      {"id", status.id},
      {"pid", status.pid},
      {"phase", phase_text(status.phase)},
      {"foreground", status.foreground},
      {"port", status.port},
      {"protocol", status.protocol},
      {"hc_timeout_ms", status.hc_timeout_ms},
      {"uptime_ms", status.uptime_ms},
      {"probes", status.probes},
      {"answered", status.answered},
      {"undelivered", status.undelivered},
      {"others", status.others},
      {"connections", status.connections},
      {"last_probe", last_probe_value(status.last_probe)},
      {"lease_ms", status.lease_ms ? json::value(*status.lease_ms) : json::value(nullptr)},
      {"no_probe", status.no_probe ? json::value(*status.no_probe) : json::value(nullptr)},
  };
  return json::serialize(value) + "\n";
}

std::optional<Status> parse_status(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error || !value.is_object()) return std::nullopt;
  try {
    return status_of(value.get_object());
  } catch (const std::exception&) {  // a key missing, or of another type
    return std::nullopt;
  }
}

std::string no_probe_cause(std::uint64_t probes, const std::optional<LastProbe>& last_probe) {
  if (probes == 0 || !last_probe) return "never probed";
  return "stopped after " + std::to_string(probes) + (probes == 1 ? " probe" : " probes") + " at " +
         last_probe->time;
}

std::string format_flag(const Status& status, common::WallClock::time_point raised) {
  const json::value value{
      {"tag", status.tag},
      {"id", status.id},
      {"cause", no_probe_cause(status.probes, status.last_probe)},
      {"raised", common::utc_text(raised)},
      {"hc_timeout_ms", status.hc_timeout_ms},
      {"port", status.port},
      {"probes", status.probes},
      {"others", status.others},
      {"last_probe", last_probe_value(status.last_probe)},
  };
  return json::serialize(value) + "\n";
}

}  // namespace genapp::lbhc
