#pragma once

// appmgr.toml (docs/man/appmgr.toml.5), and what comes of it and the command line.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/log.hpp"
#include "remote/appmgr/options.hpp"
#include "remote/tls.hpp"

namespace genapp::remote {

// What holds for every node, or for one; without a value where the file says nothing.
struct NodeConfig {
  std::optional<std::string> address{};      // of a node's table alone
  std::optional<std::string> server_name{};  // of a node's table alone
  std::optional<std::uint16_t> port{};
  std::optional<std::chrono::seconds> timeout{};
  std::optional<std::chrono::seconds> kill_after{};
  std::optional<std::string> certificate{};
  std::optional<std::string> key{};
  std::optional<std::string> authorities{};
};

struct ManagerConfig {
  NodeConfig all{};
  std::map<std::string, NodeConfig> nodes{};  // [node.NAME] by NAME
  std::optional<std::string> log_file{};
  std::optional<common::log::Level> log_level{};
};

// CONFIG_DIR/appmgr.toml; what is there by default when there is no such file. Throws Error naming
// file and line.
ManagerConfig read_manager_config();

// The same of a text. Pure.
ManagerConfig parse_manager_config(const std::string& path, std::string_view text);

// What holds for this run.
struct Settings {
  std::string node;     // as people call it: what was given as --node
  std::string address;  // a name or an address to connect to
  std::uint16_t port = kPort;
  std::string server_name;  // what the appserver's certificate must be for
  std::chrono::seconds timeout{30};
  std::chrono::seconds kill_after{10};
  TlsFiles tls{};
  std::string log_file{};  // empty: standard error
  common::log::Level log_level = common::log::Level::warn;
};

// The command line, else the node's table, else the file, else the default.
Settings settle(const CommandLine& line, const ManagerConfig& config);

}  // namespace genapp::remote
