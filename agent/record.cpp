#include "agent/record.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <stdexcept>

#include "common/clock.hpp"
#include "common/printable.hpp"

namespace genapp::agent {
namespace {

namespace json = boost::json;

constexpr std::array kRecordStates{
    State::detached,          State::opening,      State::probing,           State::online,
    State::offline,           State::going_online, State::going_online_wait, State::going_offline,
    State::going_offline_wait};
constexpr std::array kRecordGoals{Goal::online, Goal::offline};
// The others end with the agent.
constexpr std::array kRecordTasks{Task::start, Task::stop, Task::clean};

template <typename Value>
json::value name_or_null(const std::optional<Value>& value) {
  return value ? json::value(name_of(*value)) : json::value(nullptr);
}

// Throws on a name that none has.
template <typename Values>
typename Values::value_type value_named(const Values& values, const json::value& name) {
  const std::string_view text = name.as_string();
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](auto value) { return name_of(value) == text; });
  if (found == values.end()) throw std::invalid_argument(std::string(text));
  return *found;
}

template <typename Values>
std::optional<typename Values::value_type> value_or_nothing(const Values& values,
                                                            const json::value& name) {
  return name.is_null() ? std::nullopt : std::optional(value_named(values, name));
}

constexpr char kMonitors[] = "monitors";
constexpr char kMonitorRestarts[] = "restarts";
constexpr char kInServiceSince[] = "in_service_since_ms";

json::object monitors_json(const std::map<std::string, MonitorRecord>& monitors) {
  json::object object;
  for (const auto& [name, monitor] : monitors) {
    object[name] = {{kMonitorRestarts, monitor.restarts},
                    {kInServiceSince, monitor.in_service_since.count()}};
  }
  return object;
}

std::map<std::string, MonitorRecord> monitors_of(const json::object& object) {
  // What does not go into the clock is no time of it.
  constexpr auto kLast =
      std::chrono::duration_cast<std::chrono::milliseconds>(common::Clock::duration::max());
  std::map<std::string, MonitorRecord> monitors;
  for (const auto& [name, value] : object) {
    const json::object& monitor = value.as_object();
    const auto since = monitor.at(kInServiceSince).to_number<std::int64_t>();
    if (since < 0 || since > kLast.count()) throw std::out_of_range(kInServiceSince);
    monitors[std::string(name)] = {monitor.at(kMonitorRestarts).to_number<std::size_t>(),
                                   std::chrono::milliseconds(since)};
  }
  return monitors;
}

// Throws on what is missing or of another kind.
Record record_of(const json::object& object) {
  Record record;
  record.id = std::string_view(object.at("id").as_string());
  record.group = std::string_view(object.at("group").as_string());
  record.enabled = object.at("enabled").as_bool();
  record.suspended = object.at("suspended").as_bool();
  record.faulted = object.at("faulted").as_bool();
  record.fault = std::string_view(object.at("fault").as_string());
  record.standby = object.at("standby").as_bool();
  record.goal = value_or_nothing(kRecordGoals, object.at("goal"));
  record.new_fault = object.at("new_fault").as_bool();
  record.giving_up = object.at("giving_up").as_bool();
  record.task = value_or_nothing(kRecordTasks, object.at("task"));
  record.by_recover = object.at("by_recover").as_bool();
  record.not_taken_out = object.at("not_taken_out").as_bool();
  record.monitor = std::string_view(object.at("monitor").as_string());
  record.state = value_named(kRecordStates, object.at("state"));
  record.restarts = object.at("restarts").to_number<std::size_t>();
  record.tolerated = object.at("tolerated").to_number<std::size_t>();
  const json::value* const monitors = object.if_contains(kMonitors);
  if (monitors) record.monitors = monitors_of(monitors->as_object());
  return record;
}

}  // namespace

std::string format_record(const Record& record) {
  const json::value value{
      {"id", record.id},
      {"group", record.group},
      {"enabled", record.enabled},
      {"suspended", record.suspended},
      {"faulted", record.faulted},
      // Bytes that are no UTF-8 would make it a text that is no record.
      {"fault", common::printable_utf8(record.fault)},
      {"standby", record.standby},
      {"goal", name_or_null(record.goal)},
      {"new_fault", record.new_fault},
      {"giving_up", record.giving_up},
      {"task", name_or_null(record.task)},
      {"by_recover", record.by_recover},
      {"not_taken_out", record.not_taken_out},
      {"monitor", record.monitor},
      {"state", name_of(record.state)},
      {"restarts", record.restarts},
      {"tolerated", record.tolerated},
      {kMonitors, monitors_json(record.monitors)},
  };
  return json::serialize(value) + "\n";
}

std::optional<Record> parse_record(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  try {
    return record_of(value.as_object());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace genapp::agent
