#pragma once

// What can happen to a cluster, played in the lab: the fault, and what the client and the probers saw.

#include <string>
#include <vector>

#include "tests/e2e/lab/lab.hpp"

namespace genapp::tests {

// After the fault: which node has to serve, alone.
enum class Expect { moves, stays };

struct Scenario {
  std::string name;
  // Done to the node that serves, and later undone.
  void (*strike)(Lab&, const Lab::Name& active);
  void (*mend)(Lab&, const Lab::Name& active);
  Expect expect = Expect::moves;
};

// In an order in which one lab can play all.
const std::vector<Scenario>& scenarios();

struct Outcome {
  bool as_expected = false;
  Errors errors;
  Overlap overlap;   // of the two nodes' probe ports; its `last` counts from the fault
  Lab::Name active;  // before the fault
};

// Waits until the node that has to serve does, alone. The lab is as it was after the fault.
Outcome play(Lab& lab, const Scenario& scenario);

// "standby: 1.10 s of errors, …"
std::string describe(const std::string& scenario, const Outcome& outcome);

}  // namespace genapp::tests
