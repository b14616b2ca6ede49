#pragma once

// What the agent is told of a resource: the table [agent] and the tables [monitor.NAME] of its
// file, with [agent.TYPE] and [agent] of genapp.toml as defaults of the former. Names are the
// seeds' (003: attributes; 001: monitors) in snake_case.

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/attributes.hpp"
#include "cluster/resource.hpp"
#include "common/identifier.hpp"
#include "common/toml_file.hpp"
#include "monitor/http_check.hpp"
#include "monitor/smtp_check.hpp"

namespace genapp::agent {

enum class MonitorKind { process, custom, http, smtp, quick_check };
enum class MonitorMode { startup, long_running, both };
enum class FailureAction { notify, fallover };

// An absolute path and its arguments; empty: none.
using Argv = std::vector<std::string>;

struct ProcessRule {
  std::vector<std::string> names;  // as ps shows them (comm); each must have its instances
  std::optional<uid_t> owner;      // nothing: anybody's
  std::size_t instances = 1;       // exactly so many of each name
  // How often all processes are counted, for one too many; 0: never. A death needs no counting.
  Attributes::Duration recount_interval = std::chrono::seconds(60);
};

// Seed 001.
struct MonitorConfig {
  std::string name;
  MonitorKind kind = MonitorKind::custom;
  MonitorMode mode = MonitorMode::long_running;
  // Polling interval and hang limit of custom and quickcheck.
  Attributes::Duration monitor_interval = std::chrono::seconds(10);
  // Long-running: from the start to the first check. Startup: the window of its checks.
  Attributes::Duration stabilization_interval = std::chrono::seconds(10);
  std::size_t retries = 0;  // failed checks in a row that do not count yet; not of process
  std::size_t restart_count = 3;
  // So long in service wipes the restarts away. Default: 1.1 x restart_count x
  // (stabilization_interval + monitor_interval).
  Attributes::Duration restart_interval{};
  FailureAction failure_action = FailureAction::notify;
  int hung_signal = 9;  // of custom and quickcheck
  Argv notify{};
  Argv cleanup{};  // empty: remove
  Argv restart{};  // empty: restore

  ProcessRule process{};                                          // of process
  Argv command{};                                                 // of custom
  monitor::HttpSettings http{};                                   // of http
  monitor::SmtpSettings smtp{};                                   // of smtp
  Attributes::Duration check_timeout = std::chrono::seconds(10);  // of http and smtp

  bool at_startup() const { return mode != MonitorMode::long_running; }
  bool long_running() const { return mode != MonitorMode::startup; }
};

// How a restart after a fault is done: clean and start, or the executable recover alone.
enum class RestartBy { restore, recover };

struct ResourceConfig {
  common::Tag tag;
  common::Id id;
  std::string type;  // "lbhc", "script", "remote"
  Attributes attributes{};
  bool enabled = true;
  bool critical = false;
  bool auto_start = false;  // when the agent first sees it since the machine was started
  RestartBy restart_by = RestartBy::restore;
  std::string group{};                    // empty: none
  std::vector<std::string> depends_on{};  // tags
  Argv on_fallover{};
  std::vector<MonitorConfig> monitors{};  // by name
};

// [group.NAME] of genapp.toml. A group exists, too, where a resource names it.
struct GroupConfig {
  bool standby = false;  // it is to be online on another node, until it is told to be online here
  Argv on_fallover{};
};

// A resource's, from its description and genapp.toml. Reads the files that a monitor's user_file
// names, and /etc/passwd for its owner; blocks no longer than that. Throws common::Error naming
// file, line and key.
ResourceConfig read_resource_config(const common::TomlFile* settings,
                                    const cluster::Resource& resource);

// The agent's own.
struct AgentConfig {
  std::map<std::string, GroupConfig> groups{};
  // ADDRESS:PORT of the status page: numeric, IPv6 in brackets, or localhost. Empty: none.
  std::string page = "127.0.0.1:9470";
};
// Also checks the defaults that no resource takes. Throws as read_resource_config(). Pure.
AgentConfig read_agent_config(const common::TomlFile* settings);

// What is wrong with the resources together: one depends on another that is not there, or in a
// circle. Throws common::Error naming them.
void require_sound_dependencies(const std::vector<ResourceConfig>& resources);

}  // namespace genapp::agent
