#pragma once

// The programs that are swept: what the node is like before, and how a run is driven to its end.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/lbhc_node.hpp"
#include "tests/sweep/points.hpp"

namespace genapp::tests {

// What was broken, one line each; empty when all is well.
using Violations = std::vector<std::string>;

// No step of a run lasts longer: restore's own limit is HC_TIMEOUT + 10 s. What does, hangs.
inline constexpr auto kHang = std::chrono::seconds(40);

// A program that runs under a tracer.
struct Run {
  LbhcNode& node;
  std::function<bool()> ended;
  Violations violations{};
};

struct Subject {
  std::string name;     // in the output and the filter
  std::string program;  // the executable
  std::string keys;     // of the resource, under [lbhc]
  // Brings the node to where the program is started; throws std::runtime_error when it can't.
  std::function<void(LbhcNode&)> prepare;
  // Does what the world does while the program runs, until it has ended or hangs.
  std::function<void(Run&)> drive;
  // What the program's end must agree with, whatever was done to it.
  std::function<void(Run&, const Point&, const Result&)> judge;
};

extern const Subject kRestore;
extern const Subject kRecover;
extern const Subject kRemove;
extern const Subject kQuickCheckHealthy;
extern const Subject kQuickCheckFlagUp;
extern const Subject kQuickCheckDead;
extern const Subject kLbhcd;

}  // namespace genapp::tests
