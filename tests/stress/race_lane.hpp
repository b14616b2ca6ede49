#pragma once

// One id on a node of its own, on which runs are made one after the other.

#include "tests/stress/history.hpp"
#include "tests/stress/race_plan.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"

namespace genapp::tests {

class RaceLane {
 public:
  // Carries the plan out, waits until everything has settled, and removes. Blocks, half a minute
  // at most if genapp keeps its time limits. Afterwards nothing of the id is left, or the history
  // says so.
  History run(const Plan& plan);

 private:
  Port port_;
  Node node_;
};

}  // namespace genapp::tests
