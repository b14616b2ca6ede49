#include "script/config.hpp"

#include <errno.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/process_settings.hpp"
#include "common/settings.hpp"

namespace genapp::script {
namespace {

using common::Error;
using common::Setting;

constexpr char kTable[] = "script";
constexpr double kLeastTimeout = 0.01;  // seconds
constexpr double kMostTimeout = 86400;
constexpr double kMostKillAfter = 3600;
constexpr double kMostStartedAfter = 3600;

struct Key {
  std::string_view name;
  void (*apply)(const Setting&, Config&);
};

void apply_kill_after(const Setting& setting, Config& config) {
  config.kill_after = common::as_seconds(setting, 0, kMostKillAfter);
}

bool is_variable_name(const std::string& text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), good);
}

void apply_pass_environment(const Setting& setting, Config& config) {
  for (const std::string& name : setting.as_list()) {
    if (!is_variable_name(name)) {
      throw setting.error("has " + common::quoted(name) + ", which is no variable's name");
    }
    if (name.starts_with("GENAPP_")) {
      throw setting.error("has " + common::quoted(name) + ", which genapp sets itself");
    }
  }
  config.pass_environment = setting.as_list();
}

void apply_user(const Setting& setting, Config& config) {
  config.user = setting.as_string();
  if (config.user.empty()) throw setting.error("is empty: name a user, or leave the key out");
}

void apply_umask(const Setting& setting, Config& config) {
  config.umask = common::as_umask(setting);
}

void apply_limits(const Setting& setting, Config& config) {
  config.limits = common::as_limits(setting);
}

void apply_home_server(const Setting& setting, Config& config) {
  config.home_server = setting.as_string();
}

void apply_start(const Setting& setting, Config& config) {
  config.start = setting.as_word({"sync", "async"}) == 1 ? Start::async : Start::sync;
}

void apply_started_after(const Setting& setting, Config& config) {
  config.started_after = common::as_seconds(setting, 0, kMostStartedAfter);
}

void apply_restart(const Setting& setting, Config& config) { config.restart = setting.as_bool(); }

constexpr std::array kKeys{
    Key{"kill_after", apply_kill_after},
    Key{"pass_environment", apply_pass_environment},
    Key{"user", apply_user},
    Key{"umask", apply_umask},
    Key{"limits", apply_limits},
    Key{"home_server", apply_home_server},
    Key{"start", apply_start},
    Key{"started_after", apply_started_after},
    Key{"restart", apply_restart},
};

constexpr std::string_view kFolder = "folder";
constexpr std::string_view kTimeoutSuffix = "_timeout";

std::string timeout_key(const ActionRow& row) {
  return std::string(row.key) + std::string(kTimeoutSuffix);
}

void check_keys(const common::TomlFile& file) {
  std::vector<std::string> own;
  for (const ActionRow& row : kActions) {
    own.emplace_back(row.key);
    own.push_back(timeout_key(row));
  }
  std::vector<std::string_view> names(own.begin(), own.end());
  for (const Key& key : kKeys) names.push_back(key.name);
  names.push_back(kFolder);
  file.require_known(kTable, names);
}

// A file that is there and can't be executed is the action's to complain of, and so is one that
// can't be looked for and a link to nothing; one that is not there is an action that the user has
// not.
bool is_there(const std::string& path) {
  struct stat file {};
  return ::lstat(path.c_str(), &file) == 0 || errno != ENOENT;
}

class Reader {
 public:
  Reader(const common::TomlFile* settings, const common::TomlFile& resource)
      : settings_(settings), resource_(resource) {}

  Config read() const {
    Config config;
    for (const Key& key : kKeys) {
      if (const Setting* found = find(key.name)) key.apply(*found, config);
    }
    for (const ActionRow& row : kActions) {
      config.commands.at(static_cast<std::size_t>(row.action)) =
          read_command(row, is_needed(row.action, config.start));
    }
    require(config, Action::restore);
    if (is_needed(Action::remove, config.start)) require(config, Action::remove);
    if (config.start == Start::sync) refuse_keys_of_async();
    return config;
  }

 private:
  const Setting* find(std::string_view key) const {
    const Setting* own = resource_.find(kTable, key);
    return own || !settings_ ? own : settings_->find(kTable, key);
  }

  // What a supervisor starts it can stop too.
  static bool is_needed(Action action, Start start) {
    return action == Action::restore || (action == Action::remove && start == Start::sync);
  }

  // Else a resource would not be watched and restarted as its writer believes.
  void refuse_keys_of_async() const {
    for (const std::string_view key : {"started_after", "restart"}) {
      const Setting* found = resource_.find(kTable, key);
      if (found) throw found->error("is only for start = \"async\"");
    }
  }

  Command read_command(const ActionRow& row, bool needed) const {
    Command command;
    command.timeout = row.timeout;
    if (const Setting* timeout = find(timeout_key(row))) {
      command.timeout = common::as_seconds(*timeout, kLeastTimeout, kMostTimeout);
    }
    const Setting* folder = find(kFolder);
    if (folder) common::as_absolute_path(*folder);
    if (const Setting* argv = find(row.key)) {
      command.argv = common::as_argv(*argv);
    } else if (folder) {
      const std::string path = folder->as_string() + "/" + std::string(row.name);
      // Those that everybody must have are named when they are missing.
      if (needed || is_there(path)) command.argv = {path};
    }
    return command;
  }

  void require(const Config& config, Action action) const {
    if (!config.command(action).argv.empty()) return;
    const std::string key(row_of(action).key);
    throw Error((resource_.path().empty() ? "type script" : resource_.path()) + ": [" + kTable +
                "] has neither folder nor " + key + ": say what to run for " + key);
  }

  const common::TomlFile* settings_;
  const common::TomlFile& resource_;
};

}  // namespace

Config read_config(const common::TomlFile* settings, const common::TomlFile& resource) {
  if (settings) check_keys(*settings);
  check_keys(resource);
  return Reader(settings, resource).read();
}

}  // namespace genapp::script
