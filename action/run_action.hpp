#pragma once

// What the four executables share: they find the resource, its application, and call the one verb.

namespace genapp::action {

enum class Action { restore, remove, quick_check, recover };

// The whole program, from the command line to the exit code that main returns.
int run_action(Action action, int argc, const char* const* argv);

}  // namespace genapp::action
