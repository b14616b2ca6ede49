#pragma once

// The command lines of genapp's commands, in one style: no abbreviations, nothing given twice,
// nothing left over.

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <string>

namespace genapp::ctl {

// argv[0] is the command's name. What stands alone is the value of the option `positional`; with ""
// nothing may. Throws common::Error (exit code 64).
boost::program_options::variables_map parse_options(
    const boost::program_options::options_description& options, const char* positional, int argc,
    const char* const* argv);

// The option's text. Throws common::Error (exit code 64) "missing SPELLING" when it was not given.
std::string required(const boost::program_options::variables_map& found, const char* name,
                     const char* spelling);

}  // namespace genapp::ctl
