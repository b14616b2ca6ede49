#pragma once

// Text from outside (arguments, files, peers) made safe to print on one line.

#include <cstddef>
#include <string>
#include <string_view>

namespace genapp::common {

// In double quotes; control bytes, quotes, backslashes and bytes above 126 as C escapes; text
// beyond `most` bytes is cut and its length told.
std::string quoted(std::string_view text, std::size_t most = 80);

// The same without the quotes, and quotes left alone: for a whole sentence that may repeat what
// came from outside.
std::string printable(std::string_view text, std::size_t most = 400);

// A program's own words for the log: UTF-8 stays as it is; control bytes and what is no UTF-8
// become C escapes.
std::string printable_utf8(std::string_view text, std::size_t most = 400);

}  // namespace genapp::common
