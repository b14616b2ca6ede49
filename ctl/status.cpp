#include "ctl/status.hpp"

#include <unistd.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <string>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/printable.hpp"
#include "ctl/agent_client.hpp"
#include "ctl/agent_status.hpp"
#include "ctl/commands.hpp"
#include "ctl/observe.hpp"
#include "ctl/options.hpp"
#include "ctl/output.hpp"
#include "ctl/status_view.hpp"
#include "ctl/watch.hpp"

namespace genapp::ctl {
namespace {

namespace po = boost::program_options;
using common::Error;
using common::ExitCode;

constexpr double kLeastInterval = 0.1;  // seconds
constexpr double kMostInterval = 86400;
constexpr char kToTopAndClear[] = "\033[H\033[J";  // ECMA-48: CUP, ED

std::chrono::milliseconds parse_interval(const std::string& text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, seconds);
  // Written so that NaN is refused too.
  if (error != std::errc() || after != end ||
      !(seconds >= kLeastInterval && seconds <= kMostInterval)) {
    throw Error("--interval " + common::quoted(text) + " must be from 0.1 to 86400 seconds",
                ExitCode::usage);
  }
  return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
}

struct AgentLook {
  std::optional<AgentStatus> status;  // nothing: no agent runs, or `problem` says why
  std::string problem;
};

// What the agent does not know of is no trouble: it may not have read the file yet.
AgentLook look_at_agent() {
  try {
    const auto answer = ask_agent("status");
    if (answer) return {parse_agent_status(*answer), ""};
  } catch (const Error& problem) {
    return {std::nullopt, "genapp: error: " + common::printable(problem.what()) + "\n"};
  }
  return {};
}

Block look(const StatusArgs& args) {
  const std::vector<Observed> all = observe(args.tag);
  const AgentLook agent = look_at_agent();
  return {args.json ? status_json(all, agent.status) : status_table(all, agent.status),
          status_problems(all) + agent.problem};
}

// A round of --watch: on a terminal in the last one's place, else below it.
Block look_again(const StatusArgs& args, bool on_terminal) {
  Block block = look(args);
  if (args.json) return block;
  const std::string time = common::utc_text(common::WallClock::now());
  block.out = on_terminal ? kToTopAndClear + time + "  (Ctrl-C ends)\n\n" + block.out
                          : time + "\n" + block.out + "\n";
  return block;
}

}  // namespace

StatusArgs parse_status_args(int argc, const char* const* argv) {
  po::options_description options;
  options.add_options()("tag", po::value<std::string>())("json", po::bool_switch())(
      "watch", po::bool_switch())("interval", po::value<std::string>());
  const po::variables_map found = parse_options(options, "tag", argc, argv);
  StatusArgs args;
  if (found.count("tag")) args.tag.emplace(found["tag"].as<std::string>());
  args.json = found["json"].as<bool>();
  args.watch = found["watch"].as<bool>();
  if (!found.count("interval")) return args;
  if (!args.watch) throw Error("--interval goes with --watch", ExitCode::usage);
  args.interval = parse_interval(found["interval"].as<std::string>());
  return args;
}

ExitCode status(int argc, const char* const* argv) {
  const StatusArgs args = parse_status_args(argc, argv);
  if (args.watch) {
    const bool on_terminal = ::isatty(STDOUT_FILENO) == 1;
    watch(args.interval, [&] { return look_again(args, on_terminal); });
  }
  const Block block = look(args);
  print(block);
  return block.err.empty() ? ExitCode::ok : ExitCode::failed;
}

}  // namespace genapp::ctl
