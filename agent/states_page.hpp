#pragma once

// docs/states.md and docs/states.svg, printed from the table (states.hpp). Pure. The program
// states_page prints them; a test compares.

#include <string>

namespace genapp::agent {

std::string states_markdown();
// Nine boxes and an arrow for each pair that a row joins, with the numbers of its rows.
std::string states_svg();

}  // namespace genapp::agent
