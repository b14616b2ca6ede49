#pragma once

// What is wrong with a command line that Program_options does not take.

#include <boost/program_options/errors.hpp>
#include <string>
#include <vector>

namespace genapp::common {

// In the library's words, on one printable line. `arguments` are those that it was given.
std::string option_problem(const boost::program_options::error& problem,
                           const std::vector<std::string>& arguments);

}  // namespace genapp::common
