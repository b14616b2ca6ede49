#include "common/resource_args.hpp"

#include <algorithm>
#include <boost/program_options.hpp>

#include "common/error.hpp"
#include "common/option_problem.hpp"

namespace genapp::common {
namespace po = boost::program_options;
namespace {

// Program_options refuses "--foo=" even where unknown options are allowed.
bool is_unknown_and_empty(const std::string& argument) {
  return argument.starts_with("--") && argument.ends_with('=') && argument != "--tag=" &&
         argument != "--id=";
}

po::variables_map parse(int argc, const char* const* argv, std::vector<std::string>& ignored) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  std::vector<std::string> empty;
  std::erase_if(arguments, [&empty](const std::string& argument) {
    if (!is_unknown_and_empty(argument)) return false;
    empty.push_back(argument);
    return true;
  });
  po::options_description options;
  options.add_options()("tag,t", po::value<std::string>())("id,i", po::value<std::string>());
  // No guessing: "--ta" must not mean "--tag".
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  const auto parsed =
      po::command_line_parser(arguments).options(options).style(style).allow_unregistered().run();
  po::variables_map found;
  po::store(parsed, found);
  ignored = po::collect_unrecognized(parsed.options, po::include_positional);
  ignored.insert(ignored.end(), empty.begin(), empty.end());
  return found;
}

std::string required(const po::variables_map& found, const char* name, const char* option) {
  if (found.count(name)) return found[name].as<std::string>();
  throw Error(std::string("missing ") + option, ExitCode::usage);
}

}  // namespace

ResourceArgs parse_resource_args(int argc, const char* const* argv) {
  std::vector<std::string> ignored;
  try {
    const po::variables_map found = parse(argc, argv, ignored);
    return {Tag(required(found, "tag", "-t TAG")), Id(required(found, "id", "-i ID")),
            std::move(ignored)};
  } catch (const po::error& problem) {
    throw Error(option_problem(problem, {argv, argv + argc}), ExitCode::usage);
  }
}

}  // namespace genapp::common
