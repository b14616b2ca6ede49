#pragma once

#include <functional>
#include <string>

#include "ctl/drill/interruption.hpp"
#include "ctl/drill/report.hpp"
#include "ctl/drill/target.hpp"

namespace genapp::ctl::drill {

// How a step is told as it happens. May throw common::Error.
using Tell = std::function<void(const std::string& lines)>;

// Makes one fault on a healthy resource, calls quickCheck and recover as a cluster would, and has
// everything put back; what it found. A failure, or a signal, ends up in the Trial. Blocks: the
// clock's fault takes HC_TIMEOUT to be seen, and each recover up to HC_TIMEOUT. Throws what `tell`
// throws, with everything put back.
Trial run_fault(Fault fault, Target& target, Interruption& interruption, const Tell& tell);

}  // namespace genapp::ctl::drill
