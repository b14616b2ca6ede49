#pragma once

// What a session's file "ended" says (common/paths.hpp): how its command ended. The keeper writes
// it, before it tells anybody, so that it is known after the keeper's own end too. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "common/spawn.hpp"

namespace genapp::remote {

// "code 3\n", "signal 9\n".
std::string format_ended(const common::Ending& ending);
// Nothing when it is none, or not whole.
std::optional<common::Ending> parse_ended(std::string_view text);

}  // namespace genapp::remote
