#pragma once

// appmgr's command line (docs/man/appmgr.8). Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/identifier.hpp"
#include "common/log.hpp"
#include "remote/message.hpp"

namespace genapp::remote {

// What is to be done; no more than one stands in a command line.
enum class Verb { run, detach, attach, signal, stop, status, list, acknowledge };

// A host and, if it was given, its port.
struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  std::optional<std::uint16_t> port{};
};

struct CommandLine {
  Verb verb = Verb::run;
  std::string node;  // as it was given
  HostPort where{};
  std::optional<common::Id> session{};  // list has none
  std::vector<std::string> command{};   // of run and detach
  Environment environment{};
  std::string signal{};
  bool forget = false;
  bool json = false;
  // What appmgr.toml may say, too; without a value when it is not given.
  std::optional<std::chrono::seconds> timeout{};
  std::optional<std::chrono::seconds> kill_after{};
  std::optional<std::string> log_file{};
  std::optional<common::log::Level> log_level{};
  std::optional<std::string> certificate{};
  std::optional<std::string> key{};
  std::optional<std::string> authorities{};
  std::optional<std::string> server_name{};
};

inline constexpr int kMostTimeoutSeconds = 3600;

// "guest1", "guest1:5316", "192.0.2.1:5316", "[2001:db8::1]:5316", "2001:db8::1". Nothing when it
// is none of these.
std::optional<HostPort> parse_host_port(std::string_view text);

// Throws Error (exit code 64) that says what is wrong.
CommandLine parse_appmgr_options(int argc, const char* const* argv);

// The arguments with the original's options in our spelling: -node as --node, and so on, up to --.
std::vector<std::string> in_our_spelling(int argc, const char* const* argv);

// --help, after its first line.
std::string appmgr_usage();

}  // namespace genapp::remote
