#include "ctl/drill/guardian.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::ctl::drill {
namespace {

using tests::wait_until;

class GuardianTest : public testing::Test {
 protected:
  bool put_back() const {
    tests::write_file(file_, "put back");
    return true;
  }
  bool is_put_back() const { return tests::read_file(file_) == "put back"; }

  tests::TempDir temp_;
  std::string file_ = temp_ / "file";
};

TEST_F(GuardianTest, PutsBackOnceTheDrillIsOver) {
  Guardian guardian([this] { return put_back(); });
  EXPECT_FALSE(is_put_back());
  EXPECT_TRUE(guardian.finish());
  EXPECT_TRUE(is_put_back());
}

TEST_F(GuardianTest, TellsWhenItCouldNot) {
  EXPECT_FALSE(Guardian([] { return false; }).finish());
  EXPECT_FALSE(Guardian([]() -> bool { throw common::Error("no"); }).finish());
}

TEST_F(GuardianTest, IsNotForgottenOnAnException) {
  try {
    const Guardian guardian([this] { return put_back(); });
    throw common::Error("a drill's");
  } catch (const common::Error&) {
    EXPECT_TRUE(is_put_back());
  }
}

TEST_F(GuardianTest, OutlivesTheDrill) {
  tests::Child drill([this] {
    const Guardian guardian([this] { return put_back(); });
    tests::write_file(temp_ / "ready", "yes");
    for (;;) ::pause();
    return 0;
  });
  ASSERT_TRUE(wait_until([this] { return tests::read_file(temp_ / "ready") == "yes"; }));
  EXPECT_FALSE(is_put_back());
  drill.signal(SIGKILL);
  EXPECT_TRUE(wait_until([this] { return is_put_back(); }));
}

// A program that the drill runs is the recover that puts back, perhaps.
TEST_F(GuardianTest, WaitsForThePrograms) {
  tests::Child drill([this] {
    const Guardian guardian([this] { return put_back(); });
    if (::fork() == 0) {
      tests::write_file(temp_ / "ready", "yes");
      wait_until([this] { return tests::read_file(temp_ / "go on") == "yes"; });
      tests::write_file(temp_ / "state", is_put_back() ? "too early" : "in order");
      ::_exit(0);
    }
    for (;;) ::pause();
    return 0;
  });
  ASSERT_TRUE(wait_until([this] { return tests::read_file(temp_ / "ready") == "yes"; }));
  drill.signal(SIGKILL);
  drill.wait();
  tests::write_file(temp_ / "go on", "yes");
  EXPECT_TRUE(wait_until([this] { return is_put_back(); }));
  EXPECT_EQ(tests::read_file(temp_ / "state"), "in order");
}

}  // namespace
}  // namespace genapp::ctl::drill
