#pragma once

// The command line of `genapp status`. Pure.

#include <chrono>
#include <optional>

#include "common/identifier.hpp"

namespace genapp::ctl {

struct StatusArgs {
  std::optional<common::Tag> tag;  // nothing: all
  bool json = false;
  bool watch = false;
  std::chrono::milliseconds interval = std::chrono::seconds(1);
};

// Throws common::Error (exit code 64).
StatusArgs parse_status_args(int argc, const char* const* argv);

}  // namespace genapp::ctl
