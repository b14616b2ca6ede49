#pragma once

#include <string>

#include "cluster/ocf/kind.hpp"

namespace genapp::ocf {

// What the action meta-data prints: XML as OCF 1.1 has it (ra-api.rng), and as ocf-tester's DTD of
// OCF 1.0 has it too.
std::string metadata(Kind kind);

}  // namespace genapp::ocf
