#include "common/capture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <functional>

#include "tests/support/node.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"

namespace genapp::common {
namespace {

using tests::TempDir;

constexpr auto kLong = std::chrono::minutes(2);  // ends a failing test, nothing else

Captured shell(const std::string& script, Clock::duration limit = kLong, std::size_t most = 4096) {
  Spawn what;
  what.argv = {"/bin/sh", "-c", script};
  what.environment = {"PATH=/usr/bin:/bin"};
  return capture(std::move(what), limit, most);
}

// Nothing of ours is left, dead or alive.
bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }

pid_t number_in(const std::string& path) {
  tests::wait_until([&] { return tests::read_file(path).ends_with("\n"); });
  return static_cast<pid_t>(std::stol(tests::read_file(path)));
}

TEST(Capture, KeepsBothStreamsAndTheExitCode) {
  const Captured run = shell("echo out; echo err >&2; exit 7");
  EXPECT_FALSE(run.timed_out);
  EXPECT_EQ(run.ending, (Ending{false, 7}));
  EXPECT_EQ(run.out.text, "out\n");
  EXPECT_EQ(run.err.text, "err\n");
  EXPECT_FALSE(run.out.truncated);
  EXPECT_FALSE(has_children());
}

TEST(Capture, TellsASignal) { EXPECT_EQ(shell("kill -TERM $$").ending, (Ending{true, SIGTERM})); }

TEST(Capture, KeepsBytesAsTheyAre) {
  EXPECT_EQ(shell("printf 'a\\000b\\377'").out.text, std::string("a\0b\xff", 4));
}

TEST(Capture, BoundsWhatItKeepsAndLetsTheProgramEnd) {
  const Captured run = shell("head -c 3000000 /dev/zero; echo done >&2", kLong, 1000);
  EXPECT_EQ(run.ending, (Ending{false, 0}));
  EXPECT_EQ(run.out.text.size(), 1000u);
  EXPECT_TRUE(run.out.truncated);
  EXPECT_EQ(run.err.text, "done\n");
}

TEST(Capture, WhatJustFitsIsNotTruncated) {
  const Captured run = shell("printf 12345", kLong, 5);
  EXPECT_EQ(run.out.text, "12345");
  EXPECT_FALSE(run.out.truncated);
}

// With a limit that grows until the program gets that far within it.
Captured shell_until(const std::string& script, const std::function<bool(const Captured&)>& far,
                     std::size_t most = 4096) {
  Clock::duration limit = std::chrono::milliseconds(100);
  for (;; limit *= 2) {
    Captured run = shell(script, limit, most);
    if (!run.timed_out || far(run)) return run;
  }
}

TEST(Capture, EndsAtTheLimitWithItsWholeGroup) {
  const TempDir temp;
  const Captured run =
      shell_until("trap '' TERM; (trap '' TERM HUP; exec sleep 1000) & echo $! >" + (temp / "pid") +
                      "; echo before; wait",
                  [](const Captured& captured) { return captured.out.text == "before\n"; });
  EXPECT_TRUE(run.timed_out);
  const pid_t pid = number_in(temp / "pid");
  EXPECT_TRUE(tests::wait_until([&] { return !tests::process_exists(pid); }));
  EXPECT_FALSE(has_children());
}

TEST(Capture, EndsAnEndlessOutputAtTheLimit) {
  const Captured run = shell_until(
      "exec yes", [](const Captured& captured) { return captured.out.truncated; }, 100);
  EXPECT_TRUE(run.timed_out);
  EXPECT_EQ(run.out.text.size(), 100u);
}

TEST(Capture, WhatStaysInTheGroupIsEndedAndNotWaitedFor) {
  const TempDir temp;
  const Captured run = shell("sleep 1000 & echo $! >" + (temp / "pid") + "; echo done");
  EXPECT_FALSE(run.timed_out);
  EXPECT_EQ(run.out.text, "done\n");
  const pid_t pid = number_in(temp / "pid");
  EXPECT_TRUE(tests::wait_until([&] { return !tests::process_exists(pid); }));
}

TEST(Capture, WhatLeftTheGroupWithTheStreamsIsNotWaitedFor) {
  const TempDir temp;
  const Captured run =
      shell("setsid sh -c 'echo $$ >" + (temp / "pid") + "; exec sleep 1000' & until test -s " +
            (temp / "pid") + "; do sleep 0.01; done; echo done");
  EXPECT_FALSE(run.timed_out);
  EXPECT_EQ(run.out.text, "done\n");
  ::kill(number_in(temp / "pid"), SIGKILL);
}

TEST(Capture, ClosedStreamsAreNoEnd) {
  const Captured run = shell("exec >&- 2>&-; sleep 0.1; exit 3");
  EXPECT_EQ(run.ending, (Ending{false, 3}));
}

TEST(Capture, ThrowsWhenThereIsNoProgram) {
  Spawn what;
  what.argv = {"/nonexistent"};
  EXPECT_THROW(capture(what, kLong, 10), StartError);
  EXPECT_FALSE(has_children());
}

}  // namespace
}  // namespace genapp::common
