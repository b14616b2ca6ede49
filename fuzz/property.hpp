#pragma once

// What every fuzzer is made of. A fuzzer is one source file that defines check(); libFuzzer calls
// it with inputs of its making, and a property that does not hold ends the process, as does any
// exception that check() lets out.

#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"

namespace genapp::fuzz {

// The fuzzer's own part. `input` has no byte behind its end.
void check(std::string_view input);

// Ends the process, with `property` on standard error, unless it holds.
void require(bool holds, std::string_view property);

// An error's text: one line of printable ASCII, not empty, at most 4096 bytes.
void require_one_line(std::string_view text);

// What `work` complains about, checked by require_one_line(); empty when it does not complain.
// Lets out every exception but common::Error.
template <typename Work>
std::string refusal(Work work) {
  try {
    work();
    return "";
  } catch (const common::Error& problem) {
    require_one_line(problem.what());
    return problem.what();
  }
}

// The lines of `text`, without their line feeds; what follows the last one too.
std::vector<std::string> lines_of(std::string_view text);

}  // namespace genapp::fuzz
