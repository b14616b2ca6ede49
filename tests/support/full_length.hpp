#pragma once

namespace genapp::tests {

// Whether the sweeps, races and floods are to run whole (GENAPP_FULL=on, set by `test.sh --sweep`)
// or as the fast subset that every run of test.sh has. The subset checks the same things at fewer
// points, never less at one point.
bool full_length();

}  // namespace genapp::tests
