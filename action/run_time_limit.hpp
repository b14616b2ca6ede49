#pragma once

namespace genapp::action {

// Ends this process with exit code 1 and one line on standard error should it still run 4.5 s from
// now, whatever it waits for (a file system that hangs, say). LifeKeeper kills a quickCheck after
// 22 s and does not count that as a failure, so a hanging one would hide a fault; DESIGN allows 5
// s.
void limit_quick_check();

}  // namespace genapp::action
