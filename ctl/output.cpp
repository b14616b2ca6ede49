#include "ctl/output.hpp"

#include <errno.h>
#include <stdio.h>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::ctl {

void print(std::string_view text) {
  if (::fwrite(text.data(), 1, text.size(), stdout) != text.size() || ::fflush(stdout) != 0) {
    throw common::system_error("writing to standard output", errno);
  }
}

void print(const Block& block) {
  print(block.out);
  ::fwrite(block.err.data(), 1, block.err.size(), stderr);
}

std::string problem_lines(const std::vector<std::pair<std::string, std::string>>& tag_and_problem) {
  std::string lines;
  for (const auto& [tag, problem] : tag_and_problem) {
    lines += "genapp: error: " + common::quoted(tag) + ": " + common::printable(problem) + "\n";
  }
  return lines;
}

}  // namespace genapp::ctl
