// The start time in /proc/PID/stat, which proves whose pid it is.

#include "common/process.hpp"
#include "fuzz/property.hpp"

namespace genapp::fuzz {

using common::start_ticks_from_stat;

void check(std::string_view input) {
  // A command's name may hold anything, what looks like the rest of the line too.
  require(start_ticks_from_stat("4711 (" + std::string(input) +
                                ") S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20\n") == 777,
          "whatever the name is, the start time is field 22");

  const auto ticks = start_ticks_from_stat(input);
  if (!ticks) return;
  for (std::size_t size = input.rfind(')') + 1; size < input.size(); ++size) {
    const auto half = start_ticks_from_stat(input.substr(0, size));
    require(!half || half == ticks, "half of a line tells no other start time");
  }
}

}  // namespace genapp::fuzz
