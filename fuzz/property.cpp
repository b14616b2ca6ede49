#include "fuzz/property.hpp"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>

#include "common/printable.hpp"

namespace genapp::fuzz {
namespace {

constexpr std::size_t kMostErrorBytes = 4096;

}  // namespace

void require(bool holds, std::string_view property) {
  if (holds) return;
  ::fprintf(stderr, "fuzz: does not hold: %.*s\n", static_cast<int>(property.size()),
            property.data());
  ::abort();
}

void require_one_line(std::string_view text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
  require(plain && !text.empty() && text.size() <= kMostErrorBytes,
          "an error is one short line of printable ASCII: " + common::quoted(text, 1000));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (;;) {
    const auto end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

}  // namespace genapp::fuzz
