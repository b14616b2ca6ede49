#include "ctl/options.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>

#include "common/error.hpp"
#include "common/option_problem.hpp"

namespace genapp::ctl {

namespace po = boost::program_options;
using common::Error;
using common::ExitCode;

po::variables_map parse_options(const po::options_description& options, const char* positional,
                                int argc, const char* const* argv) {
  po::positional_options_description places;
  if (*positional) places.add(positional, 1);
  // No guessing: "--ta" must not mean "--tag".
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    const auto parsed =
        po::command_line_parser(argc, argv).options(options).positional(places).style(style).run();
    po::variables_map found;
    po::store(parsed, found);
    return found;
  } catch (const po::too_many_positional_options_error&) {
    throw Error("there is an argument too many", ExitCode::usage);
  } catch (const po::error& problem) {
    throw Error(common::option_problem(problem, {argv, argv + argc}), ExitCode::usage);
  }
}

std::string required(const po::variables_map& found, const char* name, const char* spelling) {
  if (found.count(name)) return found[name].as<std::string>();
  throw Error(std::string("missing ") + spelling, ExitCode::usage);
}

}  // namespace genapp::ctl
