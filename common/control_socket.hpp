#pragma once

// The address of a UNIX socket in a directory. Its path is limited to 107 bytes and run directories
// can be longer, so the socket is reached through the directory's descriptor in /proc.

#include <sys/un.h>

#include <string>

#include "common/directory.hpp"

namespace genapp::common {

sockaddr_un socket_address(const Directory& dir, const std::string& name);

}  // namespace genapp::common
