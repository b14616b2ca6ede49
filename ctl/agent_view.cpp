#include "ctl/agent_view.hpp"

#include "common/printable.hpp"
#include "ctl/table.hpp"

namespace genapp::ctl {
namespace {

constexpr std::size_t kMostFaultBytes = 120;

std::string group_cell(const AgentResource& resource, const AgentStatus& agent) {
  const auto found = agent.groups.find(resource.group);
  std::string cell = common::printable(resource.group);
  if (found == agent.groups.end()) return cell;
  if (found->second.falling_over) return cell + " (falling over)";
  return found->second.standby ? cell + " (standby)" : cell;
}

std::string agent_cell(const AgentResource& resource) {
  const std::string state = common::printable(resource.state);
  if (resource.suspended) return state + " (suspended)";
  const bool no_answer = resource.last_probe == "unknown" || resource.last_probe == "timed out";
  return no_answer && resource.state != "Detached" ? state + " (can't tell)" : state;
}

std::string monitors_cell(const AgentResource& resource) {
  if (resource.monitors.empty()) return "";
  std::string failed;
  for (const AgentMonitor& monitor : resource.monitors) {
    if (monitor.state == "failed") failed += " " + common::printable(monitor.name);
  }
  return std::to_string(resource.monitors.size()) +
         (failed.empty() ? "" : " (failed:" + failed + ")");
}

std::string fault_cell(const AgentResource& resource) {
  if (!resource.faulted) return "";
  return resource.fault.empty() ? "yes" : common::printable_utf8(resource.fault, kMostFaultBytes);
}

std::vector<std::string> agent_row(const AgentResource& resource, const AgentStatus& agent) {
  return {resource.tag,
          group_cell(resource, agent),
          agent_cell(resource),
          common::printable(resource.goal.value_or("")),
          common::printable(resource.running.value_or("")),
          monitors_cell(resource),
          fault_cell(resource)};
}

}  // namespace

std::string agent_table(const std::vector<Observed>& all, const AgentStatus& agent) {
  std::vector<std::vector<std::string>> rows{
      {"TAG", "GROUP", "AGENT", "GOAL", "TASK", "MONITORS", "FAULT"}};
  for (const Observed& seen : all) {
    const auto found = agent.resources.find(seen.tag);
    if (found != agent.resources.end()) rows.push_back(agent_row(found->second, agent));
  }
  const std::string about = "genapp-agent " + common::printable(agent.version) + ", process " +
                            std::to_string(agent.pid) + ", since " +
                            common::printable(agent.since) + "\n";
  return about + (rows.size() > 1 ? table_text(rows) : "it has none of these\n");
}

}  // namespace genapp::ctl
