#pragma once

namespace genapp::ocf {

// Which of the two agents the executable is called as: ocf:genapp:lbhc or ocf:genapp:script.
enum class Kind { lbhc, script };

}  // namespace genapp::ocf
