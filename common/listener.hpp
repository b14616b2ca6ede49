#pragma once

// The listening socket.

#include <cstdint>
#include <string>

#include "common/fd.hpp"
#include "common/toml_file.hpp"

namespace genapp::common {

// A bound, listening, non-blocking socket.
//   "any"    both families on one socket; IPv4 alone where the host has no IPv6
//   "ipv4", "ipv6"    every address of that family alone
//   else     that numeric address
// The backlog is the system's most (net.core.somaxconn), so that a burst of silent clients can't
// crowd a probe out. Throws Error naming port and address: in use, privileged, not ours.
Fd open_listener(const std::string& listen, std::uint16_t port);

// `listen` above as a setting. Throws setting.error().
const std::string& as_listen(const Setting& setting);

}  // namespace genapp::common
