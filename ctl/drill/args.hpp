#pragma once

#include <string>
#include <vector>

#include "common/identifier.hpp"
#include "ctl/drill/fault.hpp"

namespace genapp::ctl::drill {

struct Args {
  common::Tag tag;
  std::vector<Fault> faults;
  bool json = false;
  bool yes = false;      // do not ask
  bool probe = false;    // play the load balancer
  std::string programs;  // folder of the executables; empty: found
};

// The command line of `genapp drill`; argv[0] is "drill". Throws common::Error (exit code 64).
Args parse_args(int argc, const char* const* argv);

}  // namespace genapp::ctl::drill
