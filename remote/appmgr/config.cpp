#include "remote/appmgr/config.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"
#include "common/toml_file.hpp"

namespace genapp::remote {
namespace {

using common::Setting;
using common::TomlFile;

constexpr std::string_view kNodePrefix = "node.";

int whole(const Setting& setting, int least, int most) {
  const double number = setting.as_number();
  if (std::floor(number) != number || number < least || number > most) {
    throw setting.error("must be a whole number from " + std::to_string(least) + " to " +
                        std::to_string(most));
  }
  return static_cast<int>(number);
}

// A name or an address without a port, which is a key of its own.
std::string host(const Setting& setting) {
  const std::string& text = setting.as_string();
  const auto where = parse_host_port(text);
  if (!where || where->port) {
    throw setting.error("is " + common::quoted(text) + ", must be the name or address of a host");
  }
  return where->host;
}

struct NodeKey {
  std::string_view name;
  bool of_node_alone;
  void (*apply)(const Setting&, NodeConfig&);
};

constexpr std::array kNodeKeys{
    NodeKey{"address", true,
            [](const Setting& setting, NodeConfig& node) { node.address = host(setting); }},
    NodeKey{"server_name", true,
            [](const Setting& setting, NodeConfig& node) { node.server_name = host(setting); }},
    NodeKey{"port", false,
            [](const Setting& setting, NodeConfig& node) {
              node.port = static_cast<std::uint16_t>(whole(setting, 1, 65535));
            }},
    NodeKey{"timeout", false,
            [](const Setting& setting, NodeConfig& node) {
              node.timeout = std::chrono::seconds(whole(setting, 1, kMostTimeoutSeconds));
            }},
    NodeKey{"kill_after", false,
            [](const Setting& setting, NodeConfig& node) {
              node.kill_after = std::chrono::seconds(whole(setting, 0, kMostTimeoutSeconds));
            }},
    NodeKey{"certificate", false,
            [](const Setting& setting, NodeConfig& node) {
              node.certificate = common::as_absolute_path(setting);
            }},
    NodeKey{"key", false,
            [](const Setting& setting, NodeConfig& node) {
              node.key = common::as_absolute_path(setting);
            }},
    NodeKey{"authorities", false,
            [](const Setting& setting, NodeConfig& node) {
              node.authorities = common::as_absolute_path(setting);
            }},
};
constexpr std::array<std::string_view, 2> kLogKeys{"log_file", "log_level"};

NodeConfig read_node(const TomlFile& file, const std::string& section) {
  const bool of_node = !section.empty();
  std::vector<std::string_view> known;
  NodeConfig node;
  for (const NodeKey& key : kNodeKeys) {
    if (key.of_node_alone && !of_node) continue;
    known.push_back(key.name);
    if (const Setting* setting = file.find(section, key.name)) key.apply(*setting, node);
  }
  if (!of_node) known.insert(known.end(), kLogKeys.begin(), kLogKeys.end());
  file.require_known(section, known);
  return node;
}

ManagerConfig read(const TomlFile& file) {
  constexpr std::array<std::string_view, 1> kSections{"node.*"};
  file.require_known_sections(kSections);
  ManagerConfig config;
  config.all = read_node(file, "");
  for (const auto& [section, line] : file.sections()) {
    config.nodes.emplace(section.substr(kNodePrefix.size()), read_node(file, section));
  }
  if (const Setting* setting = file.find("", "log_file")) {
    config.log_file = common::as_absolute_path(*setting);
  }
  if (const Setting* setting = file.find("", "log_level")) {
    config.log_level =
        static_cast<common::log::Level>(setting->as_word({"debug", "info", "warn", "error"}));
  }
  return config;
}

// The first that has a value.
template <typename Value>
Value first(std::initializer_list<std::optional<Value>> choices, Value otherwise) {
  for (const auto& choice : choices) {
    if (choice) return *choice;
  }
  return otherwise;
}

}  // namespace

ManagerConfig read_manager_config() {
  const auto file = TomlFile::read(common::paths::appmgr_file());
  return file ? read(*file) : ManagerConfig();
}

ManagerConfig parse_manager_config(const std::string& path, std::string_view text) {
  return read(TomlFile::parse(path, text));
}

Settings settle(const CommandLine& line, const ManagerConfig& config) {
  const auto found = config.nodes.find(line.where.host);
  const NodeConfig node = found == config.nodes.end() ? NodeConfig() : found->second;
  const NodeConfig& all = config.all;
  Settings settings;
  settings.node = line.node;
  settings.address = node.address.value_or(line.where.host);
  settings.port = first({line.where.port, node.port, all.port}, settings.port);
  settings.server_name = first({line.server_name, node.server_name}, line.where.host);
  settings.timeout = first({line.timeout, node.timeout, all.timeout}, settings.timeout);
  settings.kill_after =
      first({line.kill_after, node.kill_after, all.kill_after}, settings.kill_after);
  const std::string tls = common::paths::tls_dir();
  settings.tls = {first({line.certificate, node.certificate, all.certificate}, tls + "/appmgr.crt"),
                  first({line.key, node.key, all.key}, tls + "/appmgr.key"),
                  first({line.authorities, node.authorities, all.authorities}, tls + "/ca.crt")};
  settings.log_file = first({line.log_file, config.log_file}, std::string());
  const auto level =
      settings.log_file.empty() ? common::log::Level::warn : common::log::Level::info;
  settings.log_level = first({line.log_level, config.log_level}, level);
  return settings;
}

}  // namespace genapp::remote
