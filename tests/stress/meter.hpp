#pragma once

// What a process takes up, from /proc.

#include <sys/types.h>

#include <cstdint>

namespace genapp::tests {

struct Use {
  std::int64_t anon_kib = 0;  // RssAnon: its own memory, heap and stack
  std::int64_t pss_kib = 0;
  std::int64_t descriptors = 0;
};

Use use_of(pid_t pid);

// The greater of each.
Use most(const Use& a, const Use& b);

}  // namespace genapp::tests
