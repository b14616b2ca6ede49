#pragma once

// What can happen to a cluster, played in the lab: the fault, and what the client and the probers
// saw.

#include <string>
#include <vector>

#include "tests/e2e/lab/lab.hpp"

namespace genapp::tests {

// After the fault: which node has to serve, alone.
enum class Expect { moves, stays, n1 };

struct Scenario {
  std::string name;
  // Done to the node that serves, and later undone.
  void (*strike)(Lab&, const Lab::Name& active);
  void (*mend)(Lab&, const Lab::Name& active);
  Expect expect = Expect::moves;
  // Nobody ends the responder, so that it answers until its lease has run out.
  bool until_lease = false;
  // What has to happen first, where nothing else shows that the cluster has noticed.
  bool (*noticed)(Lab&, const Lab::Name& active) = nullptr;
};

// In an order in which one lab can play all.
const std::vector<Scenario>& scenarios();
// 500 silent connections to each node's probe port, and a port scan.
extern const Scenario kSilentConnections;
// The nodes lose sight of each other, and both still have the load balancer: for a lab that was
// told use_quorum() (n2 has to serve before) or use_fencing(). kSplit is for one that was told
// neither: both nodes serve then, and nothing ends it.
extern const Scenario kSplitWithQuorum;
extern const Scenario kSplitWithFencing;
extern const Scenario kSplit;

// Times count from the fault.
struct Outcome {
  Moment begin{0};  // the fault
  bool as_expected = false;
  Errors errors;
  Overlap overlap;       // of the two nodes' probe ports
  Moment taken_over{0};  // the other node answered first; zero: never
  Moment silent{0};      // the active one answered last
  Lab::Name active;      // before the fault
};

// Waits until the node that has to serve does, alone, `limit` at most. The fault is not mended.
Outcome play(Lab& lab, const Scenario& scenario,
             std::chrono::milliseconds limit = std::chrono::seconds(90));

// Of the two nodes' probe ports, since the outcome's fault; also while it was mended.
Overlap overlap_until_now(Lab& lab, const Outcome& outcome);

// Brings the service to this node when it is not there; the lab is ready for a fault then.
bool move_to(Lab& lab, const Lab::Name& node);

// "standby: 1.10 s of errors, …"
std::string describe(const std::string& scenario, const Outcome& outcome);

}  // namespace genapp::tests
