#pragma once

// The command line of the four executables and lbhcd: `EXE -t TAG -i ID`.

#include <string>
#include <vector>

#include "common/identifier.hpp"

namespace genapp::common {

struct ResourceArgs {
  Tag tag;
  Id id;
  std::vector<std::string> ignored;  // further arguments: a cluster may pass some
};

// In any order, --tag and --id too. Throws Error (exit code 64) when -t or -i is missing, given
// twice or not valid.
ResourceArgs parse_resource_args(int argc, const char* const* argv);

}  // namespace genapp::common
