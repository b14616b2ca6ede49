#include "ctl/command_resource.hpp"

#include <poll.h>
#include <stdio.h>

#include <boost/program_options.hpp>
#include <charconv>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/identifier.hpp"
#include "common/printable.hpp"
#include "ctl/agent_client.hpp"
#include "ctl/commands.hpp"
#include "ctl/options.hpp"
#include "ctl/output.hpp"

namespace genapp::ctl {
namespace {

namespace po = boost::program_options;
using common::Clock;
using common::Error;
using common::ExitCode;

constexpr std::chrono::seconds kDefaultWait(600);
constexpr double kMostWait = 86400;  // seconds
constexpr int kLookMilliseconds = 100;
// An agent that is started again, by systemd or for an upgrade, goes on with what it was told.
constexpr std::chrono::seconds kWithoutAgent(10);

bool has_an_end(const std::string& word) { return word == "online" || word == "offline"; }

std::chrono::milliseconds parse_wait(const std::string& text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, seconds);
  // Written so that NaN is refused too.
  if (error != std::errc() || after != end || !(seconds >= 0 && seconds <= kMostWait)) {
    throw Error("--wait " + common::quoted(text) + " must be from 0 to 86400 seconds",
                ExitCode::usage);
  }
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

std::string group_name(const std::string& text) {
  if (common::is_identifier(text)) return text;
  throw Error("--group " + common::quoted(text) + " is no name of a group", ExitCode::usage);
}

std::string subject(const CommandArgs& args) {
  return (args.of_group ? "the group \"" : "\"") + args.name + "\"";
}

// What a line of trouble says of one.
std::string shortfall(const CommandArgs& args, const AgentResource& resource) {
  std::string line = common::quoted(resource.tag) + " is not " + args.word + ": it is " +
                     common::printable(resource.state);
  if (resource.faulted) line += ", faulted";
  const std::string& why = resource.faulted ? resource.fault : resource.last_reason;
  return line + (why.empty() ? "" : ": " + common::printable(why));
}

Outcome outcome_of_one(const CommandArgs& args, const AgentResource& resource) {
  const bool there = resource.state == (args.word == "online" ? "Online" : "Offline");
  if (there && !resource.goal) return {Outcome::Kind::reached, ""};
  const bool rests = !resource.goal && !resource.running;
  return {rests ? Outcome::Kind::failed : Outcome::Kind::on_its_way, shortfall(args, resource)};
}

// Those that are on their way are waited for before anything is said of those that have failed.
void join(Outcome& all, const Outcome& one) {
  const bool first = all.kind == Outcome::Kind::reached;
  if (one.kind == Outcome::Kind::on_its_way || first) all.kind = one.kind;
  if (!one.problem.empty()) all.problem += (all.problem.empty() ? "" : "; ") + one.problem;
}

// Nothing while no agent runs.
std::optional<Outcome> look_for_outcome(const CommandArgs& args) {
  const auto answer = ask_agent(status_request_of(args));
  if (!answer) return std::nullopt;
  return outcome_of(args, parse_agent_status(*answer));
}

// Until it is reached or has failed, or the time is over.
Outcome wait_for_outcome(const CommandArgs& args) {
  const auto end = Clock::now() + args.wait;
  auto agent_seen = Clock::now();
  for (;;) {
    const auto outcome = look_for_outcome(args);
    const auto now = Clock::now();
    if (outcome) agent_seen = now;
    if (outcome && (outcome->kind != Outcome::Kind::on_its_way || now >= end)) return *outcome;
    if (!outcome && (now >= end || now - agent_seen >= kWithoutAgent)) throw Error(kNoAgent);
    ::poll(nullptr, 0, kLookMilliseconds);
  }
}

std::string still_going(const CommandArgs& args, const Outcome& outcome) {
  return outcome.problem + " after " + common::seconds_text(args.wait) +
         " s, and the agent goes on: 'genapp status' tells more";
}

}  // namespace

CommandArgs parse_command_args(int argc, const char* const* argv) {
  po::options_description options;
  options.add_options()("tag", po::value<std::string>())("group", po::value<std::string>());
  CommandArgs args;
  args.word = argv[0];
  if (has_an_end(args.word)) {
    options.add_options()("wait", po::value<std::string>());
    args.wait = kDefaultWait;
  }
  const po::variables_map found = parse_options(options, "tag", argc, argv);
  args.of_group = found.count("group") > 0;
  if (args.of_group == (found.count("tag") > 0)) {
    throw Error("say what: either TAG or --group NAME", ExitCode::usage);
  }
  args.name = args.of_group ? group_name(found["group"].as<std::string>())
                            : common::Tag(found["tag"].as<std::string>()).text();
  if (found.count("wait")) args.wait = parse_wait(found["wait"].as<std::string>());
  return args;
}

std::string request_of(const CommandArgs& args) {
  return args.word + (args.of_group ? " group " : " ") + args.name;
}

std::string status_request_of(const CommandArgs& args) {
  return args.of_group ? "status" : "status " + args.name;
}

Outcome outcome_of(const CommandArgs& args, const AgentStatus& status) {
  Outcome all{Outcome::Kind::reached, ""};
  bool any = false;
  for (const auto& [tag, resource] : status.resources) {
    if ((args.of_group ? resource.group : tag) != args.name) continue;
    any = true;
    join(all, outcome_of_one(args, resource));
  }
  if (any) return all;
  return {Outcome::Kind::failed, subject(args) + " is none of the agent's any more"};
}

ExitCode command_resource(int argc, const char* const* argv) {
  const CommandArgs args = parse_command_args(argc, argv);
  const std::string text = parse_agent_text(ask_running_agent(request_of(args)));
  if (!args.waits()) {
    print(text.empty() ? subject(args) + ": " + args.word + " is begun or done\n"
                       : common::printable(text) + "\n");
    return ExitCode::ok;
  }
  const Outcome outcome = wait_for_outcome(args);
  if (outcome.kind == Outcome::Kind::on_its_way) throw Error(still_going(args, outcome));
  if (outcome.kind == Outcome::Kind::failed) throw Error(outcome.problem);
  print(subject(args) + " is " + args.word + "\n");
  return ExitCode::ok;
}

ExitCode reload(int argc, const char* const* argv) {
  parse_options({}, "", argc, argv);
  const std::string text = parse_agent_text(ask_running_agent("reload"));
  print(text.empty() ? "the settings are read again\n" : common::printable(text) + "\n");
  return ExitCode::ok;
}

}  // namespace genapp::ctl
