// What tests ask of texts.
#pragma once

#include <cstddef>
#include <string>

namespace genapp::tests {

// How often `part` occurs in `text`.
inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace genapp::tests
