#pragma once

// What every genapp program does around its work: signals, --help and --version, and the one
// top-level catch.

#include <functional>
#include <string_view>

#include "common/exit_code.hpp"

namespace genapp::common {

struct Program {
  std::string_view name;     // fixed at build time: LifeKeeper renames the file, so no argv[0]
  std::string_view summary;  // --help: one line
  std::string_view usage;    // --help: the rest
  bool h_is_help = true;     // -h as --help; false where -h is an option of its own
};

// Ignores SIGPIPE, opens /dev/null for a standard stream that is closed, answers --help, -h and
// --version (only as the first argument, so that a further argument of a cluster can't be taken for
// one), runs `work`, and turns every exception into one line on standard error and its exit code.
// Returns what main returns.
int run_program(const Program& program, int argc, const char* const* argv,
                const std::function<ExitCode()>& work);

}  // namespace genapp::common
