#pragma once

// Which certificate may run which command, as whom and how (docs/remote.md, "The policy"). What no
// rule allows is denied. Pure.

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/spawn.hpp"
#include "remote/message.hpp"

namespace genapp::remote {

// The settings of one table [allow.NAME].
struct Rule {
  std::string name;
  std::vector<std::string> certificates;  // names; each exactly
  // argv[0] exactly, then a pattern for each argument: fnmatch(3) in which neither a slash nor a
  // leading dot is matched by a wildcard; "**" is any one argument; "..." at the end any number.
  std::vector<std::string> command;
  std::string user{};                             // empty: the appserver's own
  std::vector<std::string> environment{};         // "NAME=VALUE"
  std::vector<std::string> accept_environment{};  // names that a manager may set
  std::vector<std::string> signals{};             // "HUP": besides those that stop does
  std::optional<std::size_t> max_sessions{};      // of this rule at once
  std::chrono::seconds kill_after{10};            // the most that a manager may ask for, and ours
  bool end_leftovers = true;
  std::string directory = "/";
  mode_t umask = 022;
  std::vector<common::ResourceLimit> limits{};
};

using Policy = std::vector<Rule>;

bool matches_command(const std::vector<std::string>& patterns,
                     const std::vector<std::string>& command);

// The first rule that lets this certificate run the command; nothing: denied.
const Rule* find_rule(const Policy& policy, std::string_view certificate,
                      const std::vector<std::string>& command);

// What of a manager's environment the rule does not accept, and why, for people; empty: all is
// accepted.
std::string refused_environment(const Rule& rule, const Environment& wanted);

// "HUP", "SIGHUP" or "1" as a number; nothing when there is no such signal.
std::optional<int> signal_number(std::string_view name);
bool allows_signal(const Rule& rule, int number);

// What the command finds: PATH, HOME, USER, LOGNAME, SHELL, LANG, GENAPP_SESSION; over them the
// rule's; over those what the manager wants, which is accepted.
struct Person {
  std::string name;
  std::string home = "/";
  std::string shell = "/bin/sh";
};
std::vector<std::string> command_environment(const Rule& rule, const Person& person,
                                             std::string_view session, const Environment& wanted);

}  // namespace genapp::remote
