// What libFuzzer calls.

#include <cstddef>
#include <cstdint>

#include "fuzz/property.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  genapp::fuzz::check(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
