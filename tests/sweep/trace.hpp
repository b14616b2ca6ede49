#pragma once

// What `strace -n -yy` writes of one process, read back.

#include <string>
#include <string_view>
#include <vector>

namespace genapp::tests {

struct TracedCall {
  int number = 0;
  std::string name;
  std::string text;  // from the name to the end of the line
};

using Trace = std::vector<TracedCall>;

// The calls after the exec, in their order. Lines that are no call (signals, the end) are left out.
// Throws std::runtime_error for a line that is neither: a call that is not understood would be a
// point that is quietly left out.
Trace parse_trace(std::string_view text);

// Whether the traced process has ended, by its last line.
bool has_ended(std::string_view text);

}  // namespace genapp::tests
