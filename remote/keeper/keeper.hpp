#pragma once

// The keeper: the parent of a session's command, beside the appserver, so that the command, its
// output and how it ended outlast that (remote/keeper_link.hpp, remote/keeper_start.hpp). One
// thread around poll(2); nothing it does waits for an appserver or a manager.

#include "common/exit_code.hpp"

namespace genapp::remote::keeper {

// The whole life of the calling process. Says its one line on standard output, which it closes
// then. Throws common::Error when nothing was started; it has said so.
common::ExitCode keep(int argc, const char* const* argv);

}  // namespace genapp::remote::keeper
