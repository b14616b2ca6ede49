#include "ctl/events.hpp"

#include <boost/program_options.hpp>
#include <charconv>
#include <chrono>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "ctl/agent_client.hpp"
#include "ctl/commands.hpp"
#include "ctl/options.hpp"
#include "ctl/watch.hpp"

namespace genapp::ctl {
namespace {

namespace po = boost::program_options;
using common::Error;
using common::ExitCode;

constexpr std::size_t kMostEvents = 10'000;  // of an answer: agent/control.hpp
constexpr std::chrono::milliseconds kFollowPause(250);

std::size_t parse_count(const std::string& text) {
  std::size_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || after != end || count > kMostEvents) {
    throw Error("-n " + common::quoted(text) + " must be a number from 0 to 10000",
                ExitCode::usage);
  }
  return count;
}

std::string event_line(const AgentEvent& event) {
  const std::string tag = event.tag.empty() ? "" : event.tag + ": ";
  return common::printable_utf8(
             event.time + " " + event.severity + " " + event.kind + " " + tag + event.text, 2000) +
         "\n";
}

}  // namespace

EventsArgs parse_events_args(int argc, const char* const* argv) {
  po::options_description options;
  options.add_options()("follow,f", po::bool_switch())("json", po::bool_switch())(
      "count,n", po::value<std::string>());
  const po::variables_map found = parse_options(options, "", argc, argv);
  EventsArgs args;
  args.follow = found["follow"].as<bool>();
  args.json = found["json"].as<bool>();
  if (found.count("count")) args.count = parse_count(found["count"].as<std::string>());
  return args;
}

std::string events_text(const AgentEvents& events, bool json) {
  std::string text;
  for (const AgentEvent& event : events.events) {
    text += json ? event.json + "\n" : event_line(event);
  }
  return text;
}

std::string EventsFollower::request() const {
  const auto events = [](std::uint64_t after, std::size_t most) {
    return "events " + std::to_string(after) + " " + std::to_string(most);
  };
  if (!first_) return events(last_, kMostEvents);
  // None are after the last number that there can be; the answer tells which is the newest.
  return args_.count == 0 ? events(UINT64_MAX, 1) : events(0, args_.count);
}

Block EventsFollower::gone() {
  if (first_) throw Error(kNoAgent);
  if (told_) return {};
  told_ = true;
  return {"", "genapp: the agent has ended: waiting for another\n"};
}

Block EventsFollower::look() {
  const auto answer = ask_(request());
  if (!answer) return gone();
  const AgentEvents found = parse_agent_events(*answer);
  const bool another = !first_ && found.pid != pid_;
  const std::string remark = another && !told_ ? "genapp: another agent has begun\n" : "";
  // What was kept of the numbers was lost: all that it has told is new, for the next look.
  const bool anew = found.last < last_;
  first_ = false;
  told_ = false;
  pid_ = found.pid;
  last_ = anew ? 0 : found.last;
  return {anew ? "" : events_text(found, args_.json), remark};
}

ExitCode events(int argc, const char* const* argv) {
  const EventsArgs args = parse_events_args(argc, argv);
  EventsFollower follower(args, ask_agent);
  if (args.follow) watch(kFollowPause, [&] { return follower.look(); });
  print(follower.look());
  return ExitCode::ok;
}

}  // namespace genapp::ctl
