#pragma once

#include "tests/sweep/subject.hpp"

namespace genapp::tests {

// After the program has ended, however it did: what is left is never taken for healthy, and the
// next remove and restore work and leave what they should. Adds to the run's violations.
void look_after(Run& run);

}  // namespace genapp::tests
