#include "common/option_problem.hpp"

#include <algorithm>

#include "common/printable.hpp"

namespace genapp::common {
namespace {

// Program_options fills "%option%" and its like into its texts, and again into what it filled in:
// for an argument that holds such a word, what() never ends.
bool may_be_filled_in_for_ever(const std::string& argument) {
  return std::count(argument.begin(), argument.end(), '%') > 1;
}

}  // namespace

std::string option_problem(const boost::program_options::error& problem,
                           const std::vector<std::string>& arguments) {
  if (std::any_of(arguments.begin(), arguments.end(), may_be_filled_in_for_ever)) {
    return "an option is unknown, given twice or without its value";
  }
  // The library's texts repeat what the user typed; that may be anything.
  return printable(problem.what());
}

}  // namespace genapp::common
