// The command line of the four executables. The input's lines are the arguments.

#include "common/resource_args.hpp"

#include <algorithm>

#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

using common::ResourceArgs;
using Arguments = std::vector<std::string>;

// As execve passes them: ended by their first zero byte.
Arguments arguments_in(std::string_view input) {
  Arguments arguments = lines_of(input);
  for (std::string& argument : arguments)
    argument.resize(std::min(argument.find('\0'), argument.size()));
  return arguments;
}

std::vector<const char*> argv_of(const Arguments& arguments) {
  std::vector<const char*> argv{"restore"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return argv;
}

bool ends_an_argument(const Arguments& arguments, const std::string& text) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [&](const std::string& argument) { return argument.ends_with(text); });
}

// The plainest form of all, `-t TAG -i ID`: nothing else may be made of it.
bool is_plain(const Arguments& arguments) {
  return arguments.size() == 4 && arguments[0] == "-t" && arguments[2] == "-i" &&
         common::is_identifier(arguments[1]) && common::is_identifier(arguments[3]);
}

void check_parsed(const ResourceArgs& parsed, const Arguments& arguments) {
  require(common::is_identifier(parsed.tag.text()) && common::is_identifier(parsed.id.text()),
          "tag and id are identifiers");
  require(ends_an_argument(arguments, parsed.tag.text()) &&
              ends_an_argument(arguments, parsed.id.text()),
          "and were given");
  require(!is_plain(arguments) ||
              (parsed.tag.text() == arguments[1] && parsed.id.text() == arguments[3]),
          "-t TAG -i ID is taken as it stands");
}

}  // namespace

void check(std::string_view input) {
  const Arguments arguments = arguments_in(input);
  const auto argv = argv_of(arguments);
  try {
    check_parsed(common::parse_resource_args(static_cast<int>(argv.size()), argv.data()),
                 arguments);
  } catch (const common::Error& problem) {
    require_one_line(problem.what());
    require(problem.exit_code() == common::ExitCode::usage,
            "a wrong command line is a usage error");
    require(!is_plain(arguments), "-t TAG -i ID is a right one");
  }
}

}  // namespace genapp::fuzz
