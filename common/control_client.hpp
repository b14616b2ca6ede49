#pragma once

// The other end of common/control_server.hpp. Without Asio: quickCheck links this.

#include <cstddef>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "common/directory.hpp"

namespace genapp::common {

// The process that answers at the socket, for messages: "the daemon at DIR/NAME".
std::string control_peer(const Directory& dir, const std::string& name);

inline constexpr std::size_t kMostControlAnswerBytes = 16 * 1024;

// Sends `request`, a line with its line feed, to the socket NAME in `dir`, and returns what came
// back: normally a line with its line feed, else what there was until the end, or until
// `most_bytes` were there. Blocks for `timeout` at most. Throws Error saying whether it could not
// connect or was not answered in time.
std::string ask_control(const Directory& dir, const std::string& name, std::string_view request,
                        Clock::duration timeout, std::size_t most_bytes = kMostControlAnswerBytes);

}  // namespace genapp::common
