#include "common/family.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/support/sanitized.hpp"
#include "tests/unit/common/testing.hpp"
#include "tests/unit/script/testing.hpp"

namespace genapp::common {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;
using tests::Child;
using tests::Mark;
using tests::wait_until;

// Runs what becomes the subreaper in a child of its own. Zero, or the line of the first check that
// did not hold.
#define MUST(condition) \
  if (!(condition)) return __LINE__ % 90 + 1

// Starts the next process and ends, and so on; the last makes a file.
void hop(int hops, const std::string& path) {
  while (hops-- > 0) {
    if (::fork() != 0) ::_exit(0);
  }
  tests::write_file(path, "");
  ::_exit(0);
}

TEST(Family, WithoutChildrenThereAreNone) {
  Child child([] {
    MUST(adopt_orphans().empty());
    MUST(!has_children({}));
    MUST(end_children({}, 0ms));
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Family, KnowsTheChildrenThatWereThereBefore) {
  Child child([] {
    common::Child before = tests::spawn_sleeper("");
    const Others others = adopt_orphans();
    MUST(others == Others{before.pid()});
    MUST(!has_children(others));
    MUST(has_children({}));
    MUST(end_children(others, 20s));
    MUST(!before.wait(0ms));
    MUST(end_children({}, 20s));
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Family, AnOrphanIsOurs) {
  const tests::TempDir temp;
  Child child([&] {
    adopt_orphans();
    if (::fork() == 0) {
      if (::fork() == 0) {
        ::setsid();
        tests::write_file(temp / "up", "");
        ::pause();
      }
      ::_exit(0);
    }
    MUST(tests::wait_until([&] { return std::filesystem::exists(temp / "up"); }));
    MUST(has_children({}));
    MUST(end_children({}, 20s));
    MUST(!has_children({}));
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

// A stop that goes on in the background, in ever new processes, is not over before its last.
TEST(Family, NoGenerationIsOverlooked) {
  const tests::TempDir temp;
  Child child([&] {
    adopt_orphans();
    if (::fork() == 0) hop(400, temp / "last");
    while (has_children({})) {
    }
    return std::filesystem::exists(temp / "last") ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Family, EveryGenerationIsEnded) {
  const tests::TempDir temp;
  Child child([&] {
    adopt_orphans();
    // Each has a child and lives on.
    if (::fork() == 0) {
      for (int i = 0; i < 20; ++i) {
        if (::fork() != 0) ::pause();
        ::setsid();
        ::signal(SIGTERM, SIG_IGN);
      }
      tests::write_file(temp / "up", "");
      ::pause();
    }
    MUST(tests::wait_until([&] { return std::filesystem::exists(temp / "up"); }));
    MUST(end_children({}, 20s));
    return ::waitpid(-1, nullptr, WNOHANG) < 0 ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Family, CarriersAreEndedAndNobodyElse) {
  const Mark mark;
  const Mark longer;
  common::Child one = tests::spawn_sleeper(mark.name());
  common::Child two = tests::spawn_sleeper(mark.name());
  common::Child other = tests::spawn_sleeper(longer.name());
  common::Child similar = tests::spawn_sleeper(mark.name() + "1");
  EXPECT_THAT(mark.processes(), SizeIs(2));
  EXPECT_TRUE(end_carriers(mark.name(), 20s));
  EXPECT_EQ(one.reap(), (common::Ending{true, SIGKILL}));
  EXPECT_EQ(two.reap(), (common::Ending{true, SIGKILL}));
  EXPECT_FALSE(other.wait(0ms));
  EXPECT_FALSE(similar.wait(0ms));
  for (common::Child* child : {&other, &similar}) {
    ::kill(child->pid(), SIGKILL);
    child->reap();
  }
  EXPECT_TRUE(end_carriers(mark.name(), 0ms));
}

// A process that is just executing another program has no environment for a moment.
TEST(Family, ACarrierThatExecutesOneProgramAfterAnotherIsEnded) {
  const tests::TempDir folder;
  const std::string script = folder / "script";
  tests::write_file(script, "#!/bin/sh\nexec \"$0\"\n");
  std::filesystem::permissions(script, std::filesystem::perms(0755));
  for (int i = 0; i < 20; ++i) {
    const Mark mark;
    common::Child runner =
        common::spawn({.argv = {script}, .environment = tests::marked_environment(mark.name())});
    ASSERT_TRUE(wait_until([&] { return !mark.processes().empty(); }));
    EXPECT_TRUE(end_carriers(mark.name(), 20s));
    EXPECT_TRUE(runner.wait(2s)) << "it still runs";
    ::kill(runner.pid(), SIGKILL);
    runner.reap();
  }
}

// What a fork bomb leaves: more processes than we may have descriptors.
TEST(Family, ManyCarriersAreEndedWithFewDescriptors) {
  const Mark mark;
  Child child([&] {
    for (int i = 0; i < 60; ++i) tests::spawn_sleeper(mark.name(), false);
    const rlimit few{32, 32};
    ::setrlimit(RLIMIT_NOFILE, &few);
    return end_carriers(mark.name(), 20s) ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_THAT(mark.processes(), IsEmpty());
}

// Who can't look has not seen that nobody is left.
TEST(Family, WithoutDescriptorsNobodyIsTakenForEnded) {
  if (tests::kSanitized) {
    GTEST_SKIP() << "to see of what class an error is, UBSan needs descriptors of its own";
  }
  const Mark mark;
  Child child([&] {
    tests::spawn_sleeper(mark.name());
    const common::Fd next(::dup(STDERR_FILENO));
    const auto least = static_cast<rlim_t>(next.get());
    // One at a time can be opened, so a process can be seen, and not looked at while its pidfd is
    // open.
    const rlimit few{least + 2, least + 2};
    ::setrlimit(RLIMIT_NOFILE, &few);
    MUST(tests::error_of([&] { end_carriers(mark.name(), 0ms); }).ends_with("Too many open files"));
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

}  // namespace
}  // namespace genapp::common
