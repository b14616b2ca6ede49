#pragma once

#include "tests/sweep/points.hpp"
#include "tests/sweep/subject.hpp"

namespace genapp::tests {

enum class Strike { kill, errnos };

// Traces an undisturbed run, then runs the subject once for each point, several at a time, and
// judges each. Every violation is a failure of the running test; one line on standard output sums
// up. With GENAPP_SWEEP_POINT set, only points whose text ("restore daemon close#1 KILL") contains
// it are run.
void sweep(const Subject& subject, Who who, Strike strike);

}  // namespace genapp::tests
