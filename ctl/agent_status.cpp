#include "ctl/agent_status.hpp"

#include <boost/json.hpp>
#include <functional>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::ctl {
namespace {

namespace json = boost::json;
using common::Error;

std::string member_text(const json::object& object, std::string_view key) {
  return std::string(std::string_view(object.at(key).as_string()));
}

std::optional<std::string> member_if_set(const json::object& object, std::string_view key) {
  if (object.at(key).is_null()) return std::nullopt;
  return member_text(object, key);
}

// null, as a word that may be missing.
std::string member_or_empty(const json::object& object, std::string_view key) {
  return member_if_set(object, key).value_or("");
}

AgentResource agent_resource(const json::object& object) {
  AgentResource resource;
  resource.tag = member_text(object, "tag");
  resource.group = member_or_empty(object, "group");
  resource.state = member_text(object, "state");
  resource.faulted = object.at("faulted").as_bool();
  resource.fault = member_or_empty(object, "fault");
  resource.suspended = object.at("suspended").as_bool();
  resource.running = member_if_set(object, "running");
  resource.goal = member_if_set(object, "goal");
  resource.last_reason = member_or_empty(object, "last_reason");
  // An agent of before an upgrade does not say it.
  if (object.contains("last_probe")) resource.last_probe = member_or_empty(object, "last_probe");
  for (const json::value& monitor : object.at("monitors").as_array()) {
    resource.monitors.push_back(
        {member_text(monitor.as_object(), "name"), member_text(monitor.as_object(), "state")});
  }
  resource.json = json::serialize(object);
  return resource;
}

AgentStatus agent_status(const json::object& answer) {
  const json::object& object = answer.at("status").as_object();
  const json::object& agent = object.at("agent").as_object();
  AgentStatus status{member_text(agent, "version"),
                     agent.at("pid").to_number<std::int64_t>(),
                     member_text(agent, "since"),
                     {},
                     {}};
  for (const json::value& value : object.at("groups").as_array()) {
    const json::object& group = value.as_object();
    status.groups[member_text(group, "name")] = {group.at("standby").as_bool(),
                                                 group.at("falling_over").as_bool()};
  }
  for (const json::value& value : object.at("resources").as_array()) {
    AgentResource resource = agent_resource(value.as_object());
    status.resources[resource.tag] = std::move(resource);
  }
  return status;
}

AgentEvents agent_events(const json::object& answer) {
  AgentEvents found{
      answer.at("pid").to_number<std::int64_t>(), answer.at("last").to_number<std::uint64_t>(), {}};
  for (const json::value& value : answer.at("events").as_array()) {
    const json::object& event = value.as_object();
    found.events.push_back({event.at("seq").to_number<std::uint64_t>(), member_text(event, "time"),
                            member_text(event, "severity"), member_text(event, "kind"),
                            member_or_empty(event, "tag"), member_text(event, "text"),
                            json::serialize(event)});
  }
  return found;
}

// `take` throws what is no common::Error on an answer of another form.
template <typename Found>
Found parse_answer(std::string_view answer, const std::function<Found(const json::object&)>& take) {
  std::string refusal;
  try {
    const json::value value = json::parse(answer);
    const json::object& object = value.as_object();
    if (object.at("ok").as_bool()) return take(object);
    refusal = common::printable(member_text(object, "error"));
  } catch (const std::exception&) {
    throw Error("the agent answered " + common::quoted(answer) +
                ", which this genapp does not understand: is one of them of another version?");
  }
  throw Error(refusal);
}

}  // namespace

AgentStatus parse_agent_status(std::string_view answer) {
  return parse_answer<AgentStatus>(answer, agent_status);
}

AgentEvents parse_agent_events(std::string_view answer) {
  return parse_answer<AgentEvents>(answer, agent_events);
}

std::string parse_agent_text(std::string_view answer) {
  return parse_answer<std::string>(
      answer, [](const json::object& object) { return member_text(object, "text"); });
}

}  // namespace genapp::ctl
