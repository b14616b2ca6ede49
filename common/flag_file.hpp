#pragma once

// ID-hc-ng: present while no probe has come for HC_TIMEOUT (seed 000, restore step 5). Its
// existence is what counts; its content, one JSON line, tells people why.

#include <string_view>

#include "common/directory.hpp"
#include "common/identifier.hpp"

namespace genapp::common {

// Makes the flag, with `line` as its content, or empty when there is no room for the content.
// Throws Error when not even an empty file can be made.
void raise_flag(const Directory& run_dir, const Id& id, std::string_view line);

// True when there was one. Throws Error.
bool clear_flag(const Directory& run_dir, const Id& id);

// Throws Error when that can't be told.
bool flag_is_up(const Directory& run_dir, const Id& id);

}  // namespace genapp::common
