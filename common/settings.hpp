#pragma once

// genapp.toml: what holds for the whole node. An application's own defaults (the table [lbhc]) and
// the agent's ([agent], [group.NAME]) are read by these; they stand in `file`.

#include <optional>
#include <string>
#include <vector>

#include "common/clock.hpp"
#include "common/log.hpp"
#include "common/toml_file.hpp"

namespace genapp::common {

enum class ClusterKind { registry, lifekeeper };

struct Settings {
  std::optional<ClusterKind> cluster;  // unset: found out, see cluster/cluster.hpp
  std::string log_file;                // a daemon's log; empty: syslog
  log::Level log_level = log::Level::info;
  std::string user;              // a daemon's; empty: kDaemonUser, where root has made one
  std::optional<TomlFile> file;  // nothing when there is no genapp.toml
};

// Throws Error naming file and line on a syntax error, an unknown key or table, or a wrong value.
Settings read_settings();

// The settings in a file's text. `path` is for messages. Throws as read_settings(). Pure.
Settings parse_settings(const std::string& path, std::string_view text);

// "30", "0.2" as seconds. Throws setting.error() unless least <= value <= most (seconds).
Clock::duration as_seconds(const Setting& setting, double least, double most);

// Throws setting.error() unless it begins with / and holds no zero byte.
const std::string& as_absolute_path(const Setting& setting);

// A program's absolute path and its arguments. Throws setting.error().
const std::vector<std::string>& as_argv(const Setting& setting);

// `text` as the value of a setting. Throws the setting's error() when it is empty or not a plain
// decimal number.
Setting number_setting(std::string section, std::string key, std::string_view text,
                       std::string origin);

// The variable as a setting whose value is a number; nothing when it is unset. Throws Error when
// it is empty or not a plain decimal number.
std::optional<Setting> number_from_environment(const char* variable);

}  // namespace genapp::common
