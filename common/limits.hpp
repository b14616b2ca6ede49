#pragma once

// The names of what setrlimit(2) limits, as in shells and limits.conf(5): as, core, cpu, data,
// fsize, memlock, nofile, nproc, stack. Pure.

#include <optional>
#include <string>
#include <string_view>

namespace genapp::common {

// RLIMIT_NOFILE for "nofile"; nothing for another name.
std::optional<int> limit_resource(std::string_view name);
// The other way round.
std::optional<std::string_view> limit_name(int resource);
// "as, core, …", for messages.
std::string limit_names();

}  // namespace genapp::common
