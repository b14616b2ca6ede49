#include "remote/appserver/policy.hpp"

#include <fnmatch.h>
#include <signal.h>
#include <string.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "common/family.hpp"
#include "common/printable.hpp"

namespace genapp::remote {
namespace {

constexpr char kPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view kAnyOne = "**";
constexpr std::string_view kAnyMore = "...";

template <typename List>
bool holds(const List& list, std::string_view what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

// A zero byte can't be in either: message.cpp and the settings refuse it.
bool matches(const std::string& pattern, const std::string& argument) {
  if (pattern == kAnyOne) return true;
  return ::fnmatch(pattern.c_str(), argument.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
}

}  // namespace

bool matches_command(const std::vector<std::string>& patterns,
                     const std::vector<std::string>& command) {
  if (patterns.empty() || command.empty() || patterns[0] != command[0]) return false;
  const bool more = patterns.size() > 1 && patterns.back() == kAnyMore;
  const std::size_t count = patterns.size() - (more ? 1 : 0);
  if (command.size() < count || (!more && command.size() > count)) return false;
  for (std::size_t i = 1; i < count; ++i) {
    if (!matches(patterns[i], command[i])) return false;
  }
  return true;
}

const Rule* find_rule(const Policy& policy, std::string_view certificate,
                      const std::vector<std::string>& command) {
  // A certificate without a name is nobody's.
  if (certificate.empty()) return nullptr;
  for (const Rule& rule : policy) {
    if (holds(rule.certificates, certificate) && matches_command(rule.command, command)) {
      return &rule;
    }
  }
  return nullptr;
}

std::string refused_environment(const Rule& rule, const Environment& wanted) {
  for (const auto& [name, value] : wanted) {
    if (holds(rule.accept_environment, name)) continue;
    return "the variable " + common::quoted(name) + " is not in accept_environment of [allow." +
           rule.name + "]";
  }
  return {};
}

std::optional<int> signal_number(std::string_view name) {
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size()) {
    return number > 0 && number <= SIGRTMAX ? std::optional(number) : std::nullopt;
  }
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int signal = 1; signal < __SIGRTMIN; ++signal) {
    const char* known = ::sigabbrev_np(signal);
    if (known && name == known) return signal;
  }
  return std::nullopt;
}

bool allows_signal(const Rule& rule, int number) {
  return std::any_of(rule.signals.begin(), rule.signals.end(),
                     [number](const std::string& name) { return signal_number(name) == number; });
}

std::vector<std::string> command_environment(const Rule& rule, const Person& person,
                                             std::string_view session, const Environment& wanted) {
  std::map<std::string, std::string> variables{
      {"PATH", kPath},
      {"HOME", person.home},
      {"SHELL", person.shell},
      {"LANG", "C.UTF-8"},
      {"GENAPP_SESSION", std::string(session)},
  };
  if (!person.name.empty()) variables["USER"] = variables["LOGNAME"] = person.name;
  for (const std::string& line : rule.environment) {
    const auto equals = line.find('=');
    variables[line.substr(0, equals)] = line.substr(equals + 1);
  }
  for (const auto& [name, value] : wanted) variables[name] = value;
  // By it the command's processes are known: the keeper's own.
  variables.erase(common::kRunVariable);
  std::vector<std::string> lines;
  for (const auto& [name, value] : variables) lines.push_back(name + "=" + value);
  return lines;
}

}  // namespace genapp::remote
