#include "remote/appserver/config.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/error.hpp"
#include "common/listener.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/process_settings.hpp"
#include "common/settings.hpp"
#include "common/toml_file.hpp"

namespace genapp::remote {
namespace {

using common::Error;
using common::Setting;
using common::TomlFile;

constexpr std::string_view kRulePrefix = "allow.";
constexpr double kMostSeconds = 3600;
constexpr std::size_t kLeastKiB = 4;
constexpr std::size_t kMostKiB = 64 * 1024;
constexpr std::size_t kMostCount = 100'000;

std::size_t whole(const Setting& setting, std::size_t least, std::size_t most) {
  const double number = setting.as_number();
  if (std::floor(number) != number || number < static_cast<double>(least) ||
      number > static_cast<double>(most)) {
    throw setting.error("must be a whole number from " + std::to_string(least) + " to " +
                        std::to_string(most));
  }
  return static_cast<std::size_t>(number);
}

std::chrono::seconds seconds(const Setting& setting, std::size_t least) {
  return std::chrono::seconds(whole(setting, least, static_cast<std::size_t>(kMostSeconds)));
}

// The server's own keys.

struct ServerKey {
  std::string_view name;
  void (*apply)(const Setting&, ServerConfig&);
};

constexpr std::array kServerKeys{
    ServerKey{"port",
              [](const Setting& setting, ServerConfig& config) {
                config.port = static_cast<std::uint16_t>(whole(setting, 1, 65535));
              }},
    ServerKey{"listen", [](const Setting& setting,
                           ServerConfig& config) { config.listen = common::as_listen(setting); }},
    ServerKey{"timeout", [](const Setting& setting,
                            ServerConfig& config) { config.timeout = seconds(setting, 1); }},
    ServerKey{"handshake_timeout",
              [](const Setting& setting, ServerConfig& config) {
                config.handshake_timeout = seconds(setting, 1);
              }},
    ServerKey{"max_sessions",
              [](const Setting& setting, ServerConfig& config) {
                config.max_sessions = whole(setting, 1, kMostCount);
              }},
    ServerKey{"max_connections",
              [](const Setting& setting, ServerConfig& config) {
                config.max_connections = whole(setting, 1, kMostCount);
              }},
    ServerKey{"max_strangers",
              [](const Setting& setting, ServerConfig& config) {
                config.max_strangers = whole(setting, 1, kMostCount);
              }},
    ServerKey{"buffer_kib",
              [](const Setting& setting, ServerConfig& config) {
                config.buffer_bytes = whole(setting, kLeastKiB, kMostKiB) * 1024;
              }},
    ServerKey{"stall", [](const Setting& setting,
                          ServerConfig& config) { config.stall = seconds(setting, 0); }},
    ServerKey{"certificate",
              [](const Setting& setting, ServerConfig& config) {
                config.certificate = common::as_absolute_path(setting);
              }},
    ServerKey{"key", [](const Setting& setting,
                        ServerConfig& config) { config.key = common::as_absolute_path(setting); }},
    ServerKey{"authorities",
              [](const Setting& setting, ServerConfig& config) {
                config.authorities = common::as_absolute_path(setting);
              }},
    ServerKey{"log_file",
              [](const Setting& setting, ServerConfig& config) {
                config.log.file = common::as_absolute_path(setting);
                config.log_to_stderr = false;
              }},
    ServerKey{"log_level",
              [](const Setting& setting, ServerConfig& config) {
                config.log.least = static_cast<common::log::Level>(
                    setting.as_word({"debug", "info", "warn", "error"}));
              }},
};

// A rule's.

std::string without_zero(const Setting& setting, const std::string& text) {
  if (text.find('\0') != std::string::npos) throw setting.error("holds a NUL byte");
  return text;
}

std::vector<std::string> names(const Setting& setting) {
  for (const std::string& name : setting.as_list()) {
    if (name.empty()) throw setting.error("has an empty name");
    without_zero(setting, name);
  }
  return setting.as_list();
}

void apply_command(const Setting& setting, Rule& rule) {
  rule.command = common::as_argv(setting);
  const auto end = rule.command.end();
  const auto more = std::find(rule.command.begin(), end, "...");
  if (more != end && more + 1 != end) throw setting.error("has \"...\" before its end");
  // A pattern there would look like one and be none.
  if (rule.command[0].find_first_of("*?[") != std::string::npos) {
    throw setting.error("begins with a pattern: the program must be named");
  }
}

void apply_environment(const Setting& setting, Rule& rule) {
  for (const std::string& line : setting.as_list()) {
    const auto equals = line.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw setting.error("has " + common::quoted(line) + ", must be NAME=VALUE");
    }
    rule.environment.push_back(without_zero(setting, line));
  }
}

void apply_accept_environment(const Setting& setting, Rule& rule) {
  rule.accept_environment = names(setting);
  // By these whoever may set them could have another program run (ld.so(8), glibc's, bash's).
  for (const std::string& name : rule.accept_environment) {
    if (name.starts_with("LD_") || name == "BASH_ENV" || name == "ENV" || name == "IFS" ||
        name == "PATH" || name.find('=') != std::string::npos) {
      throw setting.error("has " + common::quoted(name) + ", which nobody from outside may set");
    }
  }
}

void apply_signals(const Setting& setting, Rule& rule) {
  for (const std::string& name : setting.as_list()) {
    if (!signal_number(name)) throw setting.error("has " + common::quoted(name) + ", no signal");
  }
  rule.signals = setting.as_list();
}

struct RuleKey {
  std::string_view name;
  void (*apply)(const Setting&, Rule&);
};

constexpr std::array kRuleKeys{
    RuleKey{"certificate",
            [](const Setting& setting, Rule& rule) { rule.certificates = names(setting); }},
    RuleKey{"command", apply_command},
    RuleKey{"user",
            [](const Setting& setting, Rule& rule) {
              rule.user = setting.as_string();
              if (rule.user.empty()) throw setting.error("is empty");
            }},
    RuleKey{"environment", apply_environment},
    RuleKey{"accept_environment", apply_accept_environment},
    RuleKey{"signals", apply_signals},
    RuleKey{"max_sessions", [](const Setting& setting,
                               Rule& rule) { rule.max_sessions = whole(setting, 1, kMostCount); }},
    RuleKey{"kill_after",
            [](const Setting& setting, Rule& rule) { rule.kill_after = seconds(setting, 0); }},
    RuleKey{"leftovers",
            [](const Setting& setting, Rule& rule) {
              rule.end_leftovers = setting.as_word({"end", "leave"}) == 0;
            }},
    RuleKey{"directory", [](const Setting& setting,
                            Rule& rule) { rule.directory = common::as_absolute_path(setting); }},
    RuleKey{"umask",
            [](const Setting& setting, Rule& rule) { rule.umask = common::as_umask(setting); }},
    RuleKey{"limits",
            [](const Setting& setting, Rule& rule) { rule.limits = common::as_limits(setting); }},
};

template <typename Keys>
std::vector<std::string_view> names_of(const Keys& keys) {
  std::vector<std::string_view> known;
  for (const auto& key : keys) known.push_back(key.name);
  return known;
}

Rule parse_rule(const TomlFile& file, const std::string& section, int line, bool as_root) {
  Rule rule;
  rule.name = section.substr(kRulePrefix.size());
  file.require_known(section, names_of(kRuleKeys));
  for (const RuleKey& key : kRuleKeys) {
    if (const Setting* setting = file.find(section, key.name)) key.apply(*setting, rule);
  }
  const auto need = [&](bool there, const char* key, const char* what) {
    if (there) return;
    throw Error(file.path() + ":" + std::to_string(line) + ": [" + section + "] has no " + key +
                ", " + what);
  };
  need(!rule.certificates.empty(), "certificate", "the names of those whom it allows something");
  need(!rule.command.empty(), "command", "which is what it allows");
  need(!rule.user.empty() || !as_root, "user", "whom the command runs as: root must be named, too");
  return rule;
}

ServerConfig parse(const TomlFile& file, bool as_root) {
  ServerConfig config;
  constexpr std::array<std::string_view, 1> kSections{"allow.*"};
  file.require_known_sections(kSections);
  file.require_known("", names_of(kServerKeys));
  for (const ServerKey& key : kServerKeys) {
    if (const Setting* setting = file.find("", key.name)) key.apply(*setting, config);
  }
  for (const auto& [section, line] : file.sections()) {
    if (!section.starts_with(kRulePrefix)) continue;
    config.policy.push_back(parse_rule(file, section, line, as_root));
  }
  const std::string tls = common::paths::tls_dir();
  if (config.certificate.empty()) config.certificate = tls + "/appserver.crt";
  if (config.key.empty()) config.key = tls + "/appserver.key";
  if (config.authorities.empty()) config.authorities = tls + "/ca.crt";
  return config;
}

}  // namespace

ServerConfig read_server_config(bool as_root) {
  const std::string path = common::paths::appserver_file();
  const auto file = TomlFile::read(path);
  if (!file) {
    throw Error(path +
                ": no such file: it says which certificate may run which command, see "
                "appserver.toml(5)");
  }
  return parse(*file, as_root);
}

std::vector<std::string_view> server_keys() { return names_of(kServerKeys); }
std::vector<std::string_view> rule_keys() { return names_of(kRuleKeys); }

ServerConfig parse_server_config(const std::string& path, std::string_view text, bool as_root) {
  return parse(TomlFile::parse(path, text), as_root);
}

}  // namespace genapp::remote
