#pragma once

// Whole-file write locks that belong to the open file (F_OFD_SETLK, fcntl(2)): the kernel gives
// them back when the last descriptor of that open file is closed, so also at SIGKILL. Unlike
// F_SETLK they are not lost when another descriptor of the same file is closed. `path` is for the
// messages.

#include <string>

#include "common/fd.hpp"

namespace genapp::common {

// False when somebody else holds it. Does not block. Throws Error.
bool try_lock(const Fd& file, const std::string& path);

// Asks without taking, so that asking never gets in a starter's way. Throws Error.
bool is_locked(const Fd& file, const std::string& path);

}  // namespace genapp::common
