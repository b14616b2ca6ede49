#include "remote/resource/config.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"

namespace genapp::remote {
namespace {

using common::Error;
using common::Setting;
using common::TomlFile;

constexpr char kTable[] = "remote";
constexpr std::size_t kMostNodeBytes = 255;  // appmgr's
constexpr int kMostWholeSeconds = 3600;      // appmgr's
constexpr double kLeastTimeout = 1;          // seconds
constexpr double kMostTimeout = 86400;
constexpr double kMostStartedAfter = 3600;
constexpr auto kLeastAfterKill = std::chrono::seconds(2);  // for appmgr to tell of it

int as_whole(const Setting& setting, int least, int most) {
  const double number = setting.as_number();
  // Written so that NaN is refused too.
  if (!(number >= least && number <= most) || std::floor(number) != number) {
    throw setting.error("must be a whole number from " + std::to_string(least) + " to " +
                        std::to_string(most));
  }
  return static_cast<int>(number);
}

// What is given to appmgr stands in an argument of its own; it must still not look like an option,
// and the port is a key of its own. More than one colon: an IPv6 address.
bool is_node(const std::string& text) {
  const auto good = [](char c) { return c > ' ' && c <= '~' && c != '/' && c != '[' && c != ']'; };
  return !text.empty() && text.size() <= kMostNodeBytes && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), good) &&
         std::count(text.begin(), text.end(), ':') != 1;
}

void apply_node(const Setting& setting, RemoteConfig& config) {
  config.node = setting.as_string();
  if (is_node(config.node)) return;
  throw setting.error("is " + common::quoted(config.node, 80) +
                      ", must be a host's name or address; a port is the key port");
}

void apply_port(const Setting& setting, RemoteConfig& config) {
  config.port = static_cast<std::uint16_t>(as_whole(setting, 1, 65535));
}

void apply_session(const Setting& setting, RemoteConfig& config) {
  config.session = setting.as_string();
  if (common::is_identifier(config.session)) return;
  throw setting.error("is " + common::quoted(config.session, 80) + ", which is not a valid id");
}

void apply_command(const Setting& setting, RemoteConfig& config) {
  config.command = common::as_argv(setting);
}

void apply_environment(const Setting& setting, RemoteConfig& config) {
  config.environment = setting.as_list();
  std::vector<std::string> names;
  for (const std::string& entry : config.environment) {
    const auto equals = entry.find('=');
    if (equals == 0 || equals == std::string::npos || entry.find('\0') != std::string::npos) {
      throw setting.error("has " + common::quoted(entry, 80) + ", must be NAME=VALUE");
    }
    names.push_back(entry.substr(0, equals));
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) throw setting.error("has " + common::quoted(*twice, 80) + " twice");
}

void apply_appmgr(const Setting& setting, RemoteConfig& config) {
  config.appmgr = common::as_absolute_path(setting);
}

void apply_timeout(const Setting& setting, RemoteConfig& config) {
  config.timeout = std::chrono::seconds(as_whole(setting, 1, kMostWholeSeconds));
}

void apply_kill_after(const Setting& setting, RemoteConfig& config) {
  config.kill_after = std::chrono::seconds(as_whole(setting, 0, kMostWholeSeconds));
}

void apply_start_timeout(const Setting& setting, RemoteConfig& config) {
  config.start_timeout = common::as_seconds(setting, kLeastTimeout, kMostTimeout);
}

void apply_stop_timeout(const Setting& setting, RemoteConfig& config) {
  config.stop_timeout = common::as_seconds(setting, kLeastTimeout, kMostTimeout);
}

void apply_started_after(const Setting& setting, RemoteConfig& config) {
  config.started_after = common::as_seconds(setting, 0, kMostStartedAfter);
}

void apply_already_running(const Setting& setting, RemoteConfig& config) {
  config.already_running_is_ok = setting.as_word({"fail", "ok"}) == 1;
}

void apply_remove_unreachable(const Setting& setting, RemoteConfig& config) {
  config.remove_unreachable_is_ok = setting.as_word({"fail", "ok"}) == 1;
}

void apply_on_unreachable(const Setting& setting, RemoteConfig& config) {
  config.unreachable_is_healthy = setting.as_word({"fail", "warn"}) == 1;
}

void apply_recover(const Setting& setting, RemoteConfig& config) {
  config.recover_restarts = setting.as_word({"restart", "none"}) == 0;
}

struct Key {
  std::string_view name;
  void (*apply)(const Setting&, RemoteConfig&);
};

constexpr std::array kKeys{
    Key{"node", apply_node},
    Key{"port", apply_port},
    Key{"session", apply_session},
    Key{"command", apply_command},
    Key{"environment", apply_environment},
    Key{"appmgr", apply_appmgr},
    Key{"timeout", apply_timeout},
    Key{"kill_after", apply_kill_after},
    Key{"start_timeout", apply_start_timeout},
    Key{"stop_timeout", apply_stop_timeout},
    Key{"started_after", apply_started_after},
    Key{"already_running", apply_already_running},
    Key{"remove_unreachable", apply_remove_unreachable},
    Key{"on_unreachable", apply_on_unreachable},
    Key{"recover", apply_recover},
};

// As a default it would be one session for all resources.
constexpr std::string_view kOfOneResource = "session";

void check_keys(const TomlFile& file, bool of_all) {
  std::vector<std::string_view> names;
  for (const Key& key : kKeys) {
    if (!of_all || key.name != kOfOneResource) names.push_back(key.name);
  }
  file.require_known(kTable, names);
}

class Reader {
 public:
  Reader(const TomlFile* settings, const TomlFile& resource)
      : settings_(settings), resource_(resource) {}

  RemoteConfig read(const common::Id& id) const {
    RemoteConfig config;
    config.session = id.text();
    for (const Key& key : kKeys) {
      if (const Setting* found = find(key.name)) key.apply(*found, config);
    }
    require("node", "say on which guest the command runs");
    require("command", "say what to run there: a program's path and its arguments");
    check_stop(config);
    return config;
  }

 private:
  const Setting* find(std::string_view key) const {
    const Setting* own = resource_.find(kTable, key);
    return own || !settings_ ? own : settings_->find(kTable, key);
  }

  void require(std::string_view key, const std::string& what) const {
    if (find(key)) return;
    throw Error((resource_.path().empty() ? "type remote" : resource_.path()) + ": [" + kTable +
                "] has no " + std::string(key) + ": " + what);
  }

  // Else a command that ignores TERM would make every remove fail.
  void check_stop(const RemoteConfig& config) const {
    if (config.kill_after + kLeastAfterKill <= config.stop_timeout) return;
    const Setting* blamed = find("stop_timeout");
    if (!blamed) blamed = find("kill_after");
    throw blamed->error("leaves no time for a KILL: stop_timeout (" +
                        common::seconds_text(config.stop_timeout) +
                        " s) must be 2 s longer than kill_after (" +
                        common::seconds_text(config.kill_after) + " s)");
  }

  const TomlFile* settings_;
  const TomlFile& resource_;
};

}  // namespace

RemoteConfig read_remote_config(const TomlFile* settings, const TomlFile& resource,
                                const common::Id& id) {
  if (settings) check_keys(*settings, true);
  check_keys(resource, false);
  return Reader(settings, resource).read(id);
}

}  // namespace genapp::remote
