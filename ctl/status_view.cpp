#include "ctl/status_view.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "common/printable.hpp"
#include "ctl/agent_view.hpp"
#include "ctl/output.hpp"
#include "ctl/table.hpp"

namespace genapp::ctl {
namespace {

namespace json = boost::json;
using lbhc::Phase;

constexpr char kUnknown[] = "?";
constexpr std::size_t kMostCauseBytes = 120;

std::string text_or_unknown(const std::optional<std::string>& text) {
  return text ? common::printable(*text) : kUnknown;
}

std::string state_cell(const Observed& seen) {
  return seen.state ? std::string(common::state_text(*seen.state)) : kUnknown;
}

// Nothing but an lbhc answers probes.
bool is_lbhc(const Observed& seen) { return seen.type == cluster::kLbhc; }
bool runs_on_a_guest(const Observed& seen) {
  return seen.type == cluster::kRemote && seen.alive && !seen.at_work;
}

std::string phase_remark(const Observed& seen) {
  if (seen.at_work) return " (" + common::printable(*seen.at_work) + ")";
  if (!is_lbhc(seen)) return "";
  if (!seen.daemon) return " (hung)";
  const Phase phase = seen.daemon->phase;
  return phase == Phase::serving ? "" : " (" + std::string(lbhc::phase_text(phase)) + ")";
}

std::string pid_cell(const Observed& seen) {
  if (!seen.alive) return "";
  if (runs_on_a_guest(seen)) {
    return (seen.guest_pid ? std::to_string(*seen.guest_pid) : kUnknown) + " on " +
           text_or_unknown(seen.node);
  }
  return (seen.pid ? std::to_string(*seen.pid) : kUnknown) + phase_remark(seen);
}

std::string port_cell(const Observed& seen) {
  if (!is_lbhc(seen)) return "";
  if (seen.daemon) return std::to_string(seen.daemon->port);
  return seen.port ? std::to_string(*seen.port) : kUnknown;
}

std::string last_probe_cell(const Observed& seen) {
  if (!is_lbhc(seen)) return "";
  if (!seen.daemon) return seen.alive ? kUnknown : "";
  const auto& last = seen.daemon->last_probe;
  if (!last) return "never";
  return age_text(last->age_ms) + " ago from " + common::printable(last->source);
}

std::string probes_cell(const Observed& seen) {
  if (!is_lbhc(seen)) return "";
  if (!seen.daemon) return seen.alive ? kUnknown : "";
  return std::to_string(seen.daemon->answered);
}

std::string flag_cell(const Observed& seen) {
  if (!seen.flag && !seen.cause) return "";
  // The daemon says that no probe comes and could not tell it by the file.
  const std::string word = seen.flag ? "up" : "file missing";
  return word + (seen.cause ? ": " + common::printable(*seen.cause, kMostCauseBytes) : "");
}

std::vector<std::string> row_of(const Observed& seen) {
  // Without the id, nothing else could be looked for.
  if (!seen.id) return {seen.tag, "?", "?", "?", "?", "?", "?", "?", "?"};
  return {seen.tag,       text_or_unknown(seen.id), text_or_unknown(seen.type), state_cell(seen),
          pid_cell(seen), port_cell(seen),          last_probe_cell(seen),      probes_cell(seen),
          flag_cell(seen)};
}

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

template <typename Number>
json::value number_or_null(const std::optional<Number>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}

json::value agent_value(const Observed& seen, const std::optional<AgentStatus>& agent) {
  if (!agent) return nullptr;
  const auto found = agent->resources.find(seen.tag);
  return found == agent->resources.end() ? json::value(nullptr) : json::parse(found->second.json);
}

json::value value_of(const Observed& seen, const std::optional<AgentStatus>& agent) {
  return {
      {"tag", seen.tag},
      {"id", text_or_null(seen.id)},
      {"type", text_or_null(seen.type)},
      {"info", text_or_null(seen.info)},
      {"state", seen.state ? json::value(common::state_text(*seen.state)) : json::value(nullptr)},
      {"alive", seen.alive},
      {"pid", number_or_null(seen.pid)},
      {"action", text_or_null(seen.at_work)},
      {"node", text_or_null(seen.node)},
      {"guest_pid", number_or_null(seen.guest_pid)},
      {"port", number_or_null(seen.port)},
      {"flag", seen.flag},
      {"cause", text_or_null(seen.cause)},
      {"daemon",
       seen.daemon ? json::parse(lbhc::format_status(*seen.daemon)) : json::value(nullptr)},
      {"error",
       seen.error.empty() ? json::value(nullptr) : json::value(common::printable(seen.error))},
      {"agent", agent_value(seen, agent)},
  };
}

}  // namespace

std::string status_table(const std::vector<Observed>& all,
                         const std::optional<AgentStatus>& agent) {
  if (all.empty()) return kNoResources;
  std::vector<std::vector<std::string>> rows{
      {"TAG", "ID", "TYPE", "STATE", "PID", "PORT", "LAST PROBE", "PROBES", "FLAG"}};
  for (const Observed& seen : all) rows.push_back(row_of(seen));
  return table_text(rows) + (agent ? "\n" + agent_table(all, *agent) : "");
}

std::string status_json(const std::vector<Observed>& all, const std::optional<AgentStatus>& agent) {
  json::array resources;
  for (const Observed& seen : all) resources.push_back(value_of(seen, agent));
  return json::serialize(json::value{{"version", 1}, {"resources", std::move(resources)}}) + "\n";
}

std::string status_problems(const std::vector<Observed>& all) {
  std::vector<std::pair<std::string, std::string>> problems;
  for (const Observed& seen : all) {
    if (!seen.error.empty()) problems.emplace_back(seen.tag, seen.error);
  }
  return problem_lines(problems);
}

std::string age_text(std::int64_t milliseconds) {
  const std::int64_t tenths = std::max<std::int64_t>(milliseconds, 0) / 100;
  const std::int64_t seconds = tenths / 10;
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  const auto text = [](std::int64_t number) { return std::to_string(number); };
  if (minutes == 0) return text(seconds) + "." + text(tenths % 10) + " s";
  if (hours == 0) return text(minutes) + " min " + text(seconds % 60) + " s";
  if (hours < 24) return text(hours) + " h " + text(minutes % 60) + " min";
  return text(hours / 24) + " d " + text(hours % 24) + " h";
}

}  // namespace genapp::ctl
