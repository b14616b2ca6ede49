#pragma once

// Why no probe comes, as the flag file tells it, also after its daemon died. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace genapp::ctl {

// The cause in a flag file's line; nothing when it has none (a flag raised on a full file system is
// empty).
std::optional<std::string> flag_cause(std::string_view line);

}  // namespace genapp::ctl
