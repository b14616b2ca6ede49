#pragma once

// `genapp keys show`: what certificates say, and whether they will do.

#include <string>
#include <vector>

#include "common/exit_code.hpp"

namespace genapp::remote::keys {

// For people, when fewer days than these are left.
inline constexpr int kWarnDays = 30;

struct Shown {
  std::string out;
  std::string err;  // warnings
  common::ExitCode code = common::ExitCode::ok;
};

// Without files: those of the authority and of CONFIG_DIR/tls, whose keys are looked at as well.
// Failed when a certificate has expired or has less than a day left, or a file is no good.
Shown show(const std::vector<std::string>& files);

}  // namespace genapp::remote::keys
