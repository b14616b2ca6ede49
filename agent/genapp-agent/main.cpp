// genapp-agent: watches and restarts the node's resources, in the foreground.

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/variables_map.hpp>

#include "agent/genapp-agent/daemon.hpp"
#include "common/error.hpp"
#include "common/option_problem.hpp"
#include "common/program.hpp"

namespace genapp::agent {
namespace {

namespace po = boost::program_options;

constexpr char kUsage[] =
    "Usage: genapp-agent [--programs DIR]\n"
    "  --programs DIR   where restore, remove, quickCheck and recover are; by default beside it,\n"
    "                   or in ../libexec/genapp from there\n"
    "  --help, --version\n"
    "Ends on TERM and INT, which applications do not notice; HUP: reads the resources anew.\n"
    "Its commands are genapp's: online, offline, status, events, ...\n"
    "Exit status: 0 ended in order, 1 failed, 64 wrong command line.\n";

DaemonSettings parse(int argc, const char* const* argv) {
  po::options_description options;
  DaemonSettings settings;
  options.add_options()("programs", po::value<std::string>(&settings.programs));
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    po::variables_map found;
    po::store(
        po::command_line_parser(argc, argv).options(options).positional({}).style(style).run(),
        found);
    po::notify(found);
  } catch (const po::too_many_positional_options_error&) {
    throw common::Error("there is an argument too many", common::ExitCode::usage);
  } catch (const po::error& problem) {
    throw common::Error(common::option_problem(problem, {argv, argv + argc}),
                        common::ExitCode::usage);
  }
  return settings;
}

}  // namespace
}  // namespace genapp::agent

int main(int argc, char** argv) {
  using namespace genapp;
  return common::run_program(
      {"genapp-agent", "watches the node's resources and restarts them", agent::kUsage}, argc, argv,
      [&] { return agent::run_daemon(agent::parse(argc, argv)); });
}
