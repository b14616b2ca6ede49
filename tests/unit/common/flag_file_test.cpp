#include "common/flag_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

namespace fs = std::filesystem;
using tests::open_dir;
using tests::TempDir;

const Id kId("app1");

TEST(FlagFile, IsUpFromRaisedToCleared) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  EXPECT_FALSE(flag_is_up(dir, kId));
  EXPECT_FALSE(clear_flag(dir, kId));
  raise_flag(dir, kId, "{}\n");
  EXPECT_TRUE(flag_is_up(dir, kId));
  EXPECT_EQ(tests::read_file(temp / "app1-hc-ng"), "{}\n");
  raise_flag(dir, kId, "{\"again\":1}\n");
  EXPECT_EQ(tests::read_file(temp / "app1-hc-ng"), "{\"again\":1}\n");
  EXPECT_TRUE(clear_flag(dir, kId));
  EXPECT_FALSE(flag_is_up(dir, kId));
}

// A monitor of another user's must be able to read why.
TEST(FlagFile, IsReadableByAll) {
  const TempDir temp;
  raise_flag(open_dir(temp.path()), kId, "x");
  EXPECT_EQ(fs::status(temp / "app1-hc-ng").permissions() & fs::perms::others_read,
            fs::perms::others_read);
}

// On a full file system the cause is lost, but not the flag.
TEST(FlagFile, IsRaisedEmptyWhenThereIsNoRoom) {
  const TempDir temp;
  tests::Child child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit most{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &most);
    raise_flag(open_dir(temp.path()), kId, "a cause");
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(fs::file_size(temp / "app1-hc-ng"), 0u);
  EXPECT_EQ(open_dir(temp.path()).names().size(), 1u);
}

// Neither room nor anybody to read from it: nothing to wait for.
TEST(FlagFile, IsNotHeldUpByAFifo) {
  const TempDir temp;
  ASSERT_EQ(::mkfifo((temp / "app1-hc-ng").c_str(), 0600), 0);
  tests::Child child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit most{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &most);
    const Directory dir = open_dir(temp.path());
    return tests::error_of([&] { raise_flag(dir, kId, "x"); }).empty() ? 1 : 0;
  });
  EXPECT_TRUE(tests::wait_until([&] { return !child.running(); }));
  EXPECT_EQ(child.wait(), 0);
}

TEST(FlagFile, SaysThatItCanNotBeRaised) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  fs::remove(temp.path());
  EXPECT_EQ(tests::error_of([&] { raise_flag(dir, kId, "x"); }),
            "making the flag " + (temp / "app1-hc-ng") + ": No such file or directory");
}

// Anything of that name counts: a flag that is misread as down hides a fault.
TEST(FlagFile, CountsWhateverItIs) {
  const TempDir temp;
  const Directory dir = open_dir(temp.path());
  fs::create_symlink("nowhere", temp / "app1-hc-ng");
  EXPECT_TRUE(flag_is_up(dir, kId));
  EXPECT_TRUE(clear_flag(dir, kId));
  fs::create_directory(temp / "app1-hc-ng");
  EXPECT_TRUE(flag_is_up(dir, kId));
  EXPECT_THAT(tests::error_of([&] { clear_flag(dir, kId); }), testing::HasSubstr("app1-hc-ng"));
}

}  // namespace
}  // namespace genapp::common
