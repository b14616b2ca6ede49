#include "common/lock_holder.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/file_lock.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using tests::TempDir;

TEST(UserFromStatus, IsTheEffectiveOne) {
  EXPECT_EQ(user_from_status("Name:\tx\nUid:\t0\t1000\t2\t3\nGid:\t0\t0\t0\t0\n"), 1000u);
  EXPECT_EQ(user_from_status(tests::read_file("/proc/self/status")), ::geteuid());
}

TEST(UserFromStatus, IsNotReadFromAnythingElse) {
  for (const char* text : {"", "Uid:\t0\t1\t2\t3\n", "Name:\tx\nUid:\t0", "Name:\tx\nUid:\t0\t100",
                           "Name:\tx\nUid:\t0\t\t2\n", "Name:\tx\nUid:\t0\t-1\t2\n",
                           "Name:\tx\nUid:\t0\t4294967296\t2\n", "Name:\tx\nUid:\t0\tx\t2\n"}) {
    EXPECT_FALSE(user_from_status(text)) << text;
  }
}

TEST(TellsOfLock, OnlyOfALockOfTheOpenFile) {
  EXPECT_TRUE(
      tells_of_lock("pos:\t0\nflags:\t02\nlock:\t1: OFDLCK  ADVISORY  WRITE -1 00:1 0 EOF\n"));
  EXPECT_FALSE(tells_of_lock(""));
  EXPECT_FALSE(tells_of_lock("pos:\t0\nflags:\t02\n"));
  EXPECT_FALSE(tells_of_lock("lock:\t1: POSIX  ADVISORY  WRITE 77 00:1 0 EOF\n"));
  EXPECT_FALSE(tells_of_lock("lock:\t1: FLOCK  ADVISORY  WRITE 77 00:1 0 EOF\n"));
  EXPECT_FALSE(tells_of_lock("x: lock:\t1: OFDLCK  ADVISORY\n"));
}

TEST(HoldsLock, IsTrueFromTheLockToItsEnd) {
  const TempDir temp;
  Fd file(::open((temp / "f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const Fd look(::open((temp / "f").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(holds_lock(::getpid(), look));
  ASSERT_TRUE(try_lock(file, "f"));
  EXPECT_TRUE(holds_lock(::getpid(), look));
  file.close();
  EXPECT_FALSE(holds_lock(::getpid(), look));
}

TEST(HoldsLock, IsFalseForAProcessThatIsGone) {
  const TempDir temp;
  const Fd file(::open((temp / "f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(try_lock(file, "f"));
  tests::Child gone([] { return 0; });
  const pid_t pid = gone.pid();
  gone.wait();
  EXPECT_FALSE(holds_lock(pid, file));
}

}  // namespace
}  // namespace genapp::common
