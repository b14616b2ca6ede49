// appserver: starts and watches commands for managers on other hosts, in the foreground.

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/variables_map.hpp>

#include "common/error.hpp"
#include "common/option_problem.hpp"
#include "common/program.hpp"
#include "remote/appserver/server.hpp"

namespace genapp::remote {
namespace {

namespace po = boost::program_options;

constexpr char kUsage[] =
    "Usage: appserver\n"
    "  --help, --version\n"
    "Its settings and its policy are in appserver.toml, appserver.toml(5); its keys are made by\n"
    "genapp keys, genapp-keys(8).\n"
    "Ends on TERM and INT, which commands do not notice; HUP: reads the policy anew.\n"
    "Exit status: 0 ended in order, 1 failed, 64 wrong command line.\n";

void parse(int argc, const char* const* argv) {
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    po::variables_map found;
    po::store(po::command_line_parser(argc, argv).options({}).positional({}).style(style).run(),
              found);
  } catch (const po::too_many_positional_options_error&) {
    throw common::Error("there is an argument too many", common::ExitCode::usage);
  } catch (const po::error& problem) {
    throw common::Error(common::option_problem(problem, {argv, argv + argc}),
                        common::ExitCode::usage);
  }
}

}  // namespace
}  // namespace genapp::remote

int main(int argc, char** argv) {
  using namespace genapp;
  return common::run_program(
      {"appserver", "starts and watches commands for managers on other hosts", remote::kUsage},
      argc, argv, [&] {
        remote::parse(argc, argv);
        return remote::run_server();
      });
}
