#pragma once

// appserver.toml (docs/man/appserver.toml.5).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/log.hpp"
#include "remote/appserver/policy.hpp"
#include "remote/message.hpp"

namespace genapp::remote {

struct ServerConfig {
  std::uint16_t port = kPort;
  std::string listen = "any";                  // any, ipv4, ipv6, or an address
  std::chrono::seconds timeout{30};            // of a manager that has not said its own
  std::chrono::seconds handshake_timeout{10};  // from the connection to a whole WebSocket
  std::size_t max_sessions = 1000;
  std::size_t max_connections = 2000;     // with a certificate that holds
  std::size_t max_strangers = 1000;       // of those that have not shown one yet
  std::size_t buffer_bytes = 128 * 1024;  // for each stream of a session
  std::chrono::seconds stall{5};
  // Empty: CONFIG_DIR/tls/appserver.crt, .key, ca.crt.
  std::string certificate{};
  std::string key{};
  std::string authorities{};
  common::log::DaemonLog log{};
  bool log_to_stderr = true;  // no log_file
  Policy policy{};
};

// CONFIG_DIR/appserver.toml. Throws common::Error naming file and line; also where it is missing,
// since a server without a policy serves nobody. `as_root`: a rule must say as whom.
ServerConfig read_server_config(bool as_root);

// The same of a text. Pure.
ServerConfig parse_server_config(const std::string& path, std::string_view text, bool as_root);

// Every key, in the manual page's order: of the file itself, and of a rule.
std::vector<std::string_view> server_keys();
std::vector<std::string_view> rule_keys();

}  // namespace genapp::remote
