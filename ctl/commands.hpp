#pragma once

// `genapp COMMAND ...`: the embedded registry's resources, made, shown and taken away, and
// commanded through the agent.

#include "common/exit_code.hpp"

namespace genapp::ctl {

// The whole program, from the command line to the exit code that main returns.
int run_genapp(int argc, const char* const* argv);

// One function a command. argv[0] is the command's own name. Each throws common::Error, with exit
// code 64 for a wrong command line.
common::ExitCode create(int argc, const char* const* argv);
common::ExitCode list(int argc, const char* const* argv);
// Blocks for about 2 s at most for each resource whose daemon hangs, and for 10 s for an agent that
// does; with --watch until INT or TERM.
common::ExitCode status(int argc, const char* const* argv);
common::ExitCode set_state(int argc, const char* const* argv);
common::ExitCode delete_resource(int argc, const char* const* argv);
// Makes faults on a resource in service and has them recovered. Blocks: HC_TIMEOUT and more a
// fault. While it runs, INT, TERM and HUP end it once everything is put back.
common::ExitCode run_drill(int argc, const char* const* argv);

// Tells the agent: online, offline, enable, disable, clear, suspend or resume, whichever argv[0]
// is. online and offline block until the resource is there or has failed, or their --wait is over.
common::ExitCode command_resource(int argc, const char* const* argv);
// With --follow until INT or TERM.
common::ExitCode events(int argc, const char* const* argv);
common::ExitCode reload(int argc, const char* const* argv);

// Becomes libexec/genapp/genapp-keys, which has OpenSSL; this program is static and has not.
common::ExitCode keys(int argc, const char* const* argv);

}  // namespace genapp::ctl
