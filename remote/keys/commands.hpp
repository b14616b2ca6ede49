#pragma once

// `genapp keys COMMAND ...`.

namespace genapp::remote::keys {

// The whole program, from the command line to the exit code that main returns.
int run_keys(int argc, const char* const* argv);

}  // namespace genapp::remote::keys
