// SIGKILL, and each errno, at each system call of each program.

#include <gtest/gtest.h>

#include "tests/sweep/sweep.hpp"

namespace genapp::tests {
namespace {

TEST(KillSweep, Restore) { sweep(kRestore, Who::command, Strike::kill); }
TEST(KillSweep, RestoresDaemon) { sweep(kRestore, Who::daemon, Strike::kill); }
TEST(KillSweep, Recover) { sweep(kRecover, Who::command, Strike::kill); }
TEST(KillSweep, RecoversDaemon) { sweep(kRecover, Who::daemon, Strike::kill); }
TEST(KillSweep, Remove) { sweep(kRemove, Who::command, Strike::kill); }
TEST(KillSweep, QuickCheck) { sweep(kQuickCheckHealthy, Who::command, Strike::kill); }
TEST(KillSweep, Lbhcd) { sweep(kLbhcd, Who::command, Strike::kill); }

TEST(ErrnoSweep, Restore) { sweep(kRestore, Who::command, Strike::errnos); }
TEST(ErrnoSweep, RestoresDaemon) { sweep(kRestore, Who::daemon, Strike::errnos); }
TEST(ErrnoSweep, Recover) { sweep(kRecover, Who::command, Strike::errnos); }
TEST(ErrnoSweep, RecoversDaemon) { sweep(kRecover, Who::daemon, Strike::errnos); }
TEST(ErrnoSweep, Remove) { sweep(kRemove, Who::command, Strike::errnos); }
TEST(ErrnoSweep, QuickCheckOfAHealthyNode) {
  sweep(kQuickCheckHealthy, Who::command, Strike::errnos);
}
TEST(ErrnoSweep, QuickCheckWithTheFlagUp) {
  sweep(kQuickCheckFlagUp, Who::command, Strike::errnos);
}
TEST(ErrnoSweep, QuickCheckOfADeadDaemon) { sweep(kQuickCheckDead, Who::command, Strike::errnos); }
TEST(ErrnoSweep, Lbhcd) { sweep(kLbhcd, Who::command, Strike::errnos); }

}  // namespace
}  // namespace genapp::tests
