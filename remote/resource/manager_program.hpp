#pragma once

// appmgr, run as a program: it has OpenSSL, and who calls it here is static.

#include <string>
#include <vector>

#include "common/clock.hpp"
#include "remote/resource/manager_call.hpp"

namespace genapp::remote {

// The path of appmgr: `given`; when it is empty, the first that can be executed of: beside the
// calling program (a build tree), ../../bin or ../bin from there (installed in libexec/genapp or
// sbin), and where the build was told to install it (LifeKeeper copies executables). Throws
// common::Error that says where it was looked for.
std::string find_appmgr(const std::string& given);

// Runs it to its end, with our environment and GENAPP_RUN=`run` in it. Blocks for `limit` at most,
// and 1 s more for the kernel to end it; it ends with us. Throws common::Error when it can't be
// started.
CallEnd run_appmgr(const std::string& path, const std::vector<std::string>& arguments,
                   const std::string& run, common::Clock::duration limit);

}  // namespace genapp::remote
