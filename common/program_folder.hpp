#pragma once

// Where genapp's own programs are, for those of them that call others.

#include <span>
#include <string>
#include <string_view>

namespace genapp::common {

// The folder with the programs `needed`: `given`; when it is empty, where the calling program
// itself is (a build tree), or ../libexec/genapp from there (installed). Throws Error, which ends
// with `hint`, when not all of them are there.
std::string find_programs(const std::string& given, std::span<const std::string_view> needed,
                          std::string_view hint);

}  // namespace genapp::common
