#include "agent/config.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <set>

#include "agent/config_values.hpp"
#include "agent/monitor_config.hpp"
#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"

namespace genapp::agent {
namespace {

using common::Error;
using common::Setting;
using common::TomlFile;

constexpr char kTable[] = "agent";
constexpr std::string_view kPage = "page";
constexpr std::string_view kGroupPrefix = "group.";

template <Attributes::Duration Attributes::*member>
void apply_length(const Setting& setting, ResourceConfig& config) {
  config.attributes.*member = as_length(setting);
}

template <std::size_t Attributes::*member>
void apply_count(const Setting& setting, ResourceConfig& config) {
  config.attributes.*member = as_count(setting);
}

template <bool ResourceConfig::*member>
void apply_bool(const Setting& setting, ResourceConfig& config) {
  config.*member = setting.as_bool();
}

void apply_offline_monitor_interval(const Setting& setting, ResourceConfig& config) {
  config.attributes.offline_monitor_interval = as_length_or_none(setting);
}

void apply_restart_by(const Setting& setting, ResourceConfig& config) {
  config.restart_by = static_cast<RestartBy>(setting.as_word({"restore", "recover"}));
}

void apply_on_fallover(const Setting& setting, ResourceConfig& config) {
  config.on_fallover = common::as_argv(setting);
}

void apply_group(const Setting& setting, ResourceConfig& config) {
  config.group = setting.as_string();
  if (common::is_identifier(config.group)) return;
  throw setting.error("is " + common::quoted(config.group) + ", which is no name as a tag's");
}

void apply_depends_on(const Setting& setting, ResourceConfig& config) {
  config.depends_on = setting.as_list();
  std::set<std::string_view> seen;
  for (const std::string& tag : config.depends_on) {
    if (!common::is_identifier(tag)) {
      throw setting.error("has " + common::quoted(tag) + ", which is no tag");
    }
    if (!seen.insert(tag).second) throw setting.error("has " + common::quoted(tag) + " twice");
  }
}

enum class Where {
  resource_alone,
  defaults_too,  // [agent] and [agent.TYPE] of genapp.toml as well
};

struct Key {
  std::string_view name;
  Where where;
  void (*apply)(const Setting&, ResourceConfig&);
};

// The one list of [agent]'s keys, but for page, which is the agent's own.
constexpr std::array kKeys{
    Key{"monitor_interval", Where::defaults_too, apply_length<&Attributes::monitor_interval>},
    Key{"monitor_timeout", Where::defaults_too, apply_length<&Attributes::monitor_timeout>},
    Key{"offline_monitor_interval", Where::defaults_too, apply_offline_monitor_interval},
    Key{"fault_on_monitor_timeouts", Where::defaults_too,
        apply_count<&Attributes::fault_on_monitor_timeouts>},
    Key{"online_timeout", Where::defaults_too, apply_length<&Attributes::online_timeout>},
    Key{"offline_timeout", Where::defaults_too, apply_length<&Attributes::offline_timeout>},
    Key{"clean_timeout", Where::defaults_too, apply_length<&Attributes::clean_timeout>},
    Key{"online_retry_limit", Where::defaults_too, apply_count<&Attributes::online_retry_limit>},
    Key{"online_wait_limit", Where::defaults_too, apply_count<&Attributes::online_wait_limit>},
    Key{"offline_wait_limit", Where::defaults_too, apply_count<&Attributes::offline_wait_limit>},
    Key{"online_trust_time", Where::defaults_too, apply_length<&Attributes::online_trust_time>},
    Key{"restart_limit", Where::defaults_too, apply_count<&Attributes::restart_limit>},
    Key{"tolerance_limit", Where::defaults_too, apply_count<&Attributes::tolerance_limit>},
    Key{"enabled", Where::defaults_too, apply_bool<&ResourceConfig::enabled>},
    Key{"critical", Where::defaults_too, apply_bool<&ResourceConfig::critical>},
    Key{"auto_start", Where::defaults_too, apply_bool<&ResourceConfig::auto_start>},
    Key{"restart_by", Where::defaults_too, apply_restart_by},
    Key{"on_fallover", Where::defaults_too, apply_on_fallover},
    Key{"group", Where::resource_alone, apply_group},
    Key{"depends_on", Where::resource_alone, apply_depends_on},
};

std::string table_of(std::string_view type) {
  return std::string(kTable) + "." + std::string(type);
}

std::vector<std::string_view> names(Where where) {
  std::vector<std::string_view> found;
  for (const Key& key : kKeys) {
    if (where == Where::resource_alone || key.where == where) found.push_back(key.name);
  }
  return found;
}

void require_known_defaults(const TomlFile& settings, std::string_view type) {
  std::vector<std::string_view> known = names(Where::defaults_too);
  settings.require_known(table_of(type), known);
  known.push_back(kPage);
  settings.require_known(kTable, known);
}

const Setting* find(const TomlFile* settings, const cluster::Resource& resource,
                    std::string_view key) {
  const Setting* found = resource.file.find(kTable, key);
  if (!found && settings) found = settings->find(table_of(resource.type), key);
  if (!found && settings) found = settings->find(kTable, key);
  return found;
}

// Those that every resource overrides, too: at once and not once a resource is added.
void check_defaults(const TomlFile& settings) {
  ResourceConfig nobody{common::Tag("none"), common::Id("none"), ""};
  for (const std::string_view type : {cluster::kLbhc, cluster::kScript, cluster::kRemote}) {
    require_known_defaults(settings, type);
    for (const Key& key : kKeys) {
      if (const Setting* found = settings.find(table_of(type), key.name)) {
        key.apply(*found, nobody);
      }
      if (const Setting* found = settings.find(kTable, key.name)) key.apply(*found, nobody);
    }
  }
}

bool is_numeric(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// No name is looked up for the page.
std::string read_page(const Setting& setting) {
  const std::string& text = setting.as_string();
  if (text.empty()) return text;
  const monitor::Server server = as_server(setting, text);
  if (server.port != 0 && (server.host == "localhost" || is_numeric(server.host))) return text;
  throw setting.error("is " + common::quoted(text) +
                      ", must be ADDRESS:PORT with a numeric address, IPv6 in brackets, or "
                      "localhost; or empty");
}

GroupConfig read_group(const std::vector<const Setting*>& settings) {
  GroupConfig group;
  for (const Setting* setting : settings) {
    if (setting->key == "standby") {
      group.standby = setting->as_bool();
    } else if (setting->key == "on_fallover") {
      group.on_fallover = common::as_argv(*setting);
    } else {
      throw Error(setting->origin + ": unknown key " + common::quoted(setting->name()) +
                  "; known here: standby, on_fallover");
    }
  }
  return group;
}

std::map<std::string, GroupConfig> read_groups(const TomlFile& settings) {
  std::map<std::string, GroupConfig> groups;
  Sections sections = by_section(settings);
  for (const auto& [section, line] : settings.sections()) {
    if (!section.starts_with(kGroupPrefix)) continue;
    const std::string name = section.substr(kGroupPrefix.size());
    if (!common::is_identifier(name)) {
      throw Error(settings.path() + ":" + std::to_string(line) + ": the group " +
                  common::quoted(name) + " has no name as a tag's");
    }
    groups[name] = read_group(sections[section]);
  }
  return groups;
}

}  // namespace

ResourceConfig read_resource_config(const TomlFile* settings, const cluster::Resource& resource) {
  if (settings) require_known_defaults(*settings, resource.type);
  resource.file.require_known(kTable, names(Where::resource_alone));
  ResourceConfig config{resource.tag, resource.id, resource.type};
  for (const Key& key : kKeys) {
    if (const Setting* found = find(settings, resource, key.name)) key.apply(*found, config);
  }
  config.monitors = read_monitors(resource.file);
  return config;
}

AgentConfig read_agent_config(const TomlFile* settings) {
  AgentConfig config;
  if (!settings) return config;
  check_defaults(*settings);
  config.groups = read_groups(*settings);
  if (const Setting* page = settings->find(kTable, kPage)) config.page = read_page(*page);
  return config;
}

}  // namespace genapp::agent
