#include "remote/resource/manager_call.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <limits>
#include <string_view>

#include "common/exit_code.hpp"
#include "common/printable.hpp"
#include "script/result.hpp"

namespace genapp::remote {
namespace {

namespace json = boost::json;
using common::ExitCode;

constexpr std::size_t kMostWords = 400;  // bytes
constexpr int kMostCode = 255;           // of an exit, and more than any signal's number
// For appmgr to end after the guest has been silent for too long.
constexpr auto kEndTime = std::chrono::milliseconds(400);

std::vector<std::string> call(const RemoteConfig& config, std::chrono::seconds silence) {
  return {"--node",       node_text(config), "--session",
          config.session, "--timeout",       std::to_string(silence.count())};
}

bool exited(const CallEnd& end) { return !end.timed_out && !end.ending.signalled; }

bool exited_with(const CallEnd& end, ExitCode code) {
  return exited(end) && end.ending.number == static_cast<int>(code);
}

// An appmgr without keys, or with settings that are wrong, has the code of a guest that can't be
// reached; but only of a guest it says "NODE: WHY".
bool tells_of_node(const RemoteConfig& config, const CallEnd& end) {
  return last_words_of(end.words).starts_with(node_text(config) + ": ");
}

// It comes from the guest in the end.
std::optional<int> number_in(const json::value& value, std::int64_t least, std::int64_t most) {
  const std::int64_t* const number = value.if_int64();
  if (!number || *number < least || *number > most) return std::nullopt;
  return static_cast<int>(*number);
}

std::string end_text(const json::object& session) {
  const json::value* const end = session.if_contains("end");
  if (!end || !end->is_object()) return "";
  for (const auto& [key, value] : end->get_object()) {
    const auto number = number_in(value, 0, kMostCode);
    if (number && key == "code") return "exit code " + std::to_string(*number);
    if (number && key == "signal") return "signal " + script::signal_text(*number);
  }
  return "";
}

// Without appmgr's words.
std::string what_happened(const RemoteConfig& config, const CallEnd& end) {
  const std::string node = node_text(config);
  if (end.timed_out) {
    return "appmgr did not end within " + common::seconds_text(end.limit) +
           " s and was ended, so nothing is known of " + node;
  }
  if (end.ending.signalled) {
    return "appmgr was ended by signal " + script::signal_text(end.ending.number);
  }
  switch (static_cast<ExitCode>(end.ending.number)) {
    case ExitCode::ok:
      return "appmgr prints what is no answer of appmgr's";
    case ExitCode::unreachable:
      if (!tells_of_node(config, end)) return "appmgr could not even try to reach " + node;
      return "the guest " + node + " can't be reached";
    case ExitCode::refused:
      return "the appserver of " + node + " has refused";
    case ExitCode::could_not_start:
      return "the command could not be started on " + node;
    case ExitCode::connection_lost:
      return "the connection to " + node + " was lost";
    case ExitCode::server_gone:
      return "the appserver of " + node + " knows no session " + common::quoted(config.session);
    case ExitCode::usage:
      return "appmgr does not take its command line: is it of another version?";
    default:
      return "appmgr exited with " + std::to_string(end.ending.number);
  }
}

}  // namespace

std::string node_text(const RemoteConfig& config) {
  if (!config.port) return config.node;
  const bool brackets = config.node.find(':') != std::string::npos;
  return (brackets ? "[" + config.node + "]" : config.node) + ":" + std::to_string(*config.port);
}

std::vector<std::string> start_call(const RemoteConfig& config, std::chrono::seconds silence) {
  std::vector<std::string> arguments = call(config, silence);
  arguments.push_back("--detach");
  for (const std::string& entry : config.environment) {
    arguments.insert(arguments.end(), {"--env", entry});
  }
  arguments.push_back("--");
  arguments.insert(arguments.end(), config.command.begin(), config.command.end());
  return arguments;
}

std::vector<std::string> stop_call(const RemoteConfig& config, std::chrono::seconds silence) {
  std::vector<std::string> arguments = call(config, silence);
  arguments.insert(arguments.end(), {"--stop", "--forget", "--kill-after",
                                     std::to_string(config.kill_after.count())});
  return arguments;
}

std::vector<std::string> status_call(const RemoteConfig& config, std::chrono::seconds silence) {
  std::vector<std::string> arguments = call(config, silence);
  arguments.insert(arguments.end(), {"--status", "--json"});
  return arguments;
}

std::vector<std::string> acknowledge_call(const RemoteConfig& config,
                                          std::chrono::seconds silence) {
  std::vector<std::string> arguments = call(config, silence);
  arguments.push_back("--acknowledge");
  return arguments;
}

std::optional<SessionSeen> parse_session_seen(std::string_view text) {
  boost::system::error_code problem;
  const json::value value = json::parse(text, problem);
  if (problem || !value.is_object()) return std::nullopt;
  const json::object& session = value.get_object();
  const json::value* const state = session.if_contains("state");
  constexpr std::array<std::string_view, 4> kStates{"starting", "running", "ended", "unknown"};
  if (!state || !state->is_string()) return std::nullopt;
  SessionSeen seen{std::string(state->get_string())};
  if (std::find(kStates.begin(), kStates.end(), seen.state) == kStates.end()) return std::nullopt;
  if (const json::value* const pid = session.if_contains("pid")) {
    seen.pid = number_in(*pid, 1, std::numeric_limits<pid_t>::max()).value_or(0);
  }
  seen.end = end_text(session);
  return seen;
}

std::chrono::seconds silence_within(const RemoteConfig& config, common::Clock::duration left) {
  using std::chrono::seconds;
  const auto whole = std::chrono::floor<seconds>(left - kEndTime);
  return std::clamp(whole, seconds(1), std::max(config.timeout, seconds(1)));
}

Meaning meaning_of_status(const RemoteConfig& config, const CallEnd& end) {
  const bool told = exited_with(end, ExitCode::ok) || exited_with(end, ExitCode::failed);
  if (!told) return meaning_of(config, end);
  const auto seen = parse_session_seen(end.out);
  if (!seen) return Meaning::failed;
  const bool runs = seen->state == "running" || seen->state == "starting";
  return runs ? Meaning::done : Meaning::not_running;
}

Meaning meaning_of(const RemoteConfig& config, const CallEnd& end) {
  // appmgr's own limit is shorter, so this is rare: a node that has no time for it.
  if (end.timed_out) return Meaning::unreachable;
  if (end.ending.signalled) return Meaning::failed;
  switch (static_cast<ExitCode>(end.ending.number)) {
    case ExitCode::ok:
      return Meaning::done;
    case ExitCode::unreachable:
      return tells_of_node(config, end) ? Meaning::unreachable : Meaning::failed;
    case ExitCode::connection_lost:
      return Meaning::unreachable;
    case ExitCode::server_gone:
      return Meaning::unknown;
    case ExitCode::refused:
    case ExitCode::could_not_start:
      return Meaning::refused;
    default:
      return Meaning::failed;
  }
}

bool was_never_reached(const RemoteConfig& config, const CallEnd& end) {
  return exited_with(end, ExitCode::unreachable) && tells_of_node(config, end);
}

bool may_have_started(const CallEnd& end) {
  if (!exited(end)) return true;
  switch (static_cast<ExitCode>(end.ending.number)) {
    case ExitCode::unreachable:
    case ExitCode::refused:
    case ExitCode::could_not_start:
    case ExitCode::failed:  // one that has ended is still there; or nobody was asked
    case ExitCode::usage:
      return false;
    default:
      return true;
  }
}

std::string last_words_of(const std::string& words) {
  std::string_view text(words);
  const auto end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return "";
  text = text.substr(0, end + 1);
  if (const auto line = text.rfind('\n'); line != std::string_view::npos) {
    text.remove_prefix(line + 1);
  }
  for (const std::string_view name : {"appmgr: ", "error: "}) {
    if (text.starts_with(name)) text.remove_prefix(name.size());
  }
  return common::printable(text, kMostWords);
}

std::string not_running_text(const RemoteConfig& config, const CallEnd& end) {
  const std::string node = node_text(config);
  const auto seen = parse_session_seen(end.out);
  if (!seen || seen->state != "ended") {
    return "its command does not run on " + node + ": the appserver there knows no session " +
           common::quoted(config.session);
  }
  return "its command has ended on " + node + ", " +
         (seen->end.empty() ? "and nobody saw how" : "with " + seen->end);
}

std::string call_text(const RemoteConfig& config, const CallEnd& end) {
  const std::string words = last_words_of(end.words);
  return what_happened(config, end) + (words.empty() ? "" : " (appmgr: " + words + ")");
}

}  // namespace genapp::remote
