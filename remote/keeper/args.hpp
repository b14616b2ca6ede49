#pragma once

// The keeper's command line (remote/keeper_start.hpp), which another program makes: so every option
// is written out, comes once, and is checked; nothing is guessed. Pure.

#include <sys/types.h>

#include "remote/keeper_start.hpp"

namespace genapp::remote::keeper {

struct Args {
  KeeperStart start;  // without the environment
  pid_t parent = 0;
};

// Throws common::Error (exit code 64).
Args parse_args(int argc, const char* const* argv);

}  // namespace genapp::remote::keeper
