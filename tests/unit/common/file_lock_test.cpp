#include "common/file_lock.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using tests::TempDir;

Fd open_file(const std::string& path) {
  return Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

TEST(FileLock, BelongsToOneOpenFileAtATime) {
  const TempDir temp;
  const Fd first = open_file(temp / "f");
  const Fd second = open_file(temp / "f");
  EXPECT_TRUE(try_lock(first, "f"));
  EXPECT_FALSE(try_lock(second, "f"));
  EXPECT_TRUE(is_locked(second, "f"));
}

// Unlike F_SETLK's: any code that opens and closes the file must not take the lock away.
TEST(FileLock, SurvivesAnotherDescriptorsClose) {
  const TempDir temp;
  const Fd holder = open_file(temp / "f");
  ASSERT_TRUE(try_lock(holder, "f"));
  open_file(temp / "f").close();
  EXPECT_TRUE(is_locked(open_file(temp / "f"), "f"));
}

TEST(FileLock, EndsWithTheOpenFile) {
  const TempDir temp;
  Fd holder = open_file(temp / "f");
  ASSERT_TRUE(try_lock(holder, "f"));
  holder.close();
  const Fd second = open_file(temp / "f");
  EXPECT_FALSE(is_locked(second, "f"));
  EXPECT_TRUE(try_lock(second, "f"));
}

// A starter must never be refused because somebody is only looking.
TEST(FileLock, AskingTakesNothing) {
  const TempDir temp;
  const Fd asking = open_file(temp / "f");
  EXPECT_FALSE(is_locked(asking, "f"));
  EXPECT_TRUE(try_lock(open_file(temp / "f"), "f"));
}

TEST(FileLock, SaysWhichFileItCouldNotLock) {
  const std::string taking = tests::error_of([] { try_lock(Fd(), "/run/x.pid"); });
  EXPECT_EQ(taking, "locking /run/x.pid: Bad file descriptor");
  const std::string asking = tests::error_of([] { is_locked(Fd(), "/run/x.pid"); });
  EXPECT_NE(asking.find("/run/x.pid: Bad file descriptor"), std::string::npos) << asking;
}

}  // namespace
}  // namespace genapp::common
