#include "script/environment.hpp"

#include <algorithm>

namespace genapp::script {
namespace {

constexpr char kPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view kFailover = "FAILOVER";

// What ExpressCluster tells its scripts in CLP_EVENT (facts: monitors-and-agents.md). It has no
// other words for a stop or a restart: they say how the resource was started.
std::string clp_event(const std::string& event) {
  return event == kFailover ? std::string(kFailover) : "START";
}

std::string clp_server(const Surroundings& about) {
  return about.home_server.empty() || about.home_server == about.host ? "HOME" : "OTHER";
}

}  // namespace

std::vector<std::string> make_environment(const Surroundings& about, const Lookup& caller) {
  std::vector<std::string> environment;
  const auto set = [&environment](const std::string& name, const std::string& value) {
    const std::string begin = name + "=";
    std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(begin); });
    environment.push_back(begin + value);
  };
  const auto set_or = [&](const std::string& name, const std::string& otherwise) {
    set(name, caller(name).value_or(otherwise));
  };
  set("PATH", kPath);
  set("HOME", about.account.home);
  set("SHELL", about.account.shell);
  if (!about.account.name.empty()) {
    set("USER", about.account.name);
    set("LOGNAME", about.account.name);
  }
  for (const std::string& name : about.pass) {
    if (const auto value = caller(name)) set(name, *value);
  }
  const ActionRow& row = row_of(about.action);
  const std::string event = caller("GENAPP_EVENT").value_or(std::string(row.event));
  set("GENAPP_TAG", about.tag);
  set("GENAPP_ID", about.id);
  set("GENAPP_INFO", about.info);
  set("GENAPP_ACTION", std::string(row.name));
  set("GENAPP_EVENT", event);
  set_or("CLP_EVENT", clp_event(event));
  set_or("CLP_DISK", "SUCCESS");
  set_or("CLP_SERVER", clp_server(about));
  set_or("CLP_FACTOR", "");
  set(common::kRunVariable, about.run);
  return environment;
}

}  // namespace genapp::script
