#pragma once

// A program run to its end, for what it prints: in bounded time, with bounded memory.

#include <cstddef>
#include <string>

#include "common/clock.hpp"
#include "common/spawn.hpp"

namespace genapp::common {

// What a program printed on one of its streams: its first bytes.
struct Printed {
  std::string text;
  bool truncated = false;  // there was more
};

struct Captured {
  bool timed_out = false;  // it was ended with KILL at the limit; `ending` says nothing then
  Ending ending{};
  Printed out;
  Printed err;
};

// Runs the program, with streams of ours in place of what.out and what.err, and keeps the first
// `most` bytes of each. Blocks until the program itself has ended, `limit` at most and 1 s more for
// the kernel to end it. Whatever else is then left in its process group is ended with KILL; what
// left the group (setsid) and holds a stream open is not waited for. Throws as spawn().
Captured capture(Spawn what, Clock::duration limit, std::size_t most);

}  // namespace genapp::common
