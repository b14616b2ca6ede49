#include "tests/support/full_length.hpp"

#include <cstdlib>
#include <string_view>

namespace genapp::tests {

bool full_length() {
  const char* value = std::getenv("GENAPP_FULL");
  return value && std::string_view(value) == "on";
}

}  // namespace genapp::tests
