#include "common/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using testing::HasSubstr;
using testing::Not;
using tests::Child;
using tests::TempDir;

// In a child each: the log is one per process.
int write_all_levels(const std::string& path, log::Level least) {
  log::to_file("lbhcd", path, least);
  log::debug("a debug line");
  log::info("an info line");
  log::warn("a warning");
  log::error("an error");
  return 0;
}

TEST(Log, WritesEachLineWithTimeProgramAndLevel) {
  const TempDir temp;
  Child child([&] { return write_all_levels(temp / "log", log::Level::info); });
  const pid_t pid = child.pid();
  EXPECT_EQ(child.wait(), 0);
  const std::string text = tests::read_file(temp / "log");
  EXPECT_THAT(text,
              testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]*Z lbhcd.*\n.*\n.*\n"));
  EXPECT_THAT(text, HasSubstr("lbhcd[" + std::to_string(pid) + "] info: an info line\n"));
  EXPECT_THAT(text, HasSubstr("warning: a warning\n"));
  EXPECT_THAT(text, HasSubstr("error: an error\n"));
  EXPECT_THAT(text, Not(HasSubstr("debug")));
}

TEST(Log, KeepsToTheLevelAndAppends) {
  const TempDir temp;
  tests::write_file(temp / "log", "before\n");
  Child child([&] { return write_all_levels(temp / "log", log::Level::error); });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_THAT(tests::read_file(temp / "log"), testing::MatchesRegex("before\n[^\n]*an error\n"));
}

// Braces and percent signs are no format; bytes of others are not either.
TEST(Log, TakesTheLineAsItIs) {
  const TempDir temp;
  Child child([&] {
    log::to_file("p", temp / "log", log::Level::info);
    log::info("{} {0} %s %n {");
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_THAT(tests::read_file(temp / "log"), HasSubstr("info: {} {0} %s %n {\n"));
}

TEST(Log, SaysThatItsFileCanNotBeOpened) {
  const TempDir temp;
  Child child([&] {
    const std::string problem =
        tests::error_of([&] { log::to_file("p", temp.path(), log::Level::info); });
    return problem.find(temp.path()) != std::string::npos ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
}

// A full disk must not stop the daemon that logs to it.
TEST(Log, GoesOnWhenItCanNotBeWritten) {
  const TempDir temp;
  Child child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    log::to_file("p", temp / "log", log::Level::info);
    const rlimit most{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &most);
    log::info("lost");
    log::error("lost too");
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

// logrotate moved the file away.
TEST(Log, ReopensItsFileByItsName) {
  const TempDir temp;
  Child child([&] {
    log::to_file("p", temp / "log", log::Level::warn);
    log::warn("before");
    std::filesystem::rename(temp / "log", temp / "log.1");
    log::warn("between");
    log::reopen();
    log::warn("after");
    log::info("still too low");
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_THAT(tests::read_file(temp / "log.1"), testing::MatchesRegex(".*before\n.*between\n"));
  EXPECT_THAT(tests::read_file(temp / "log"), testing::MatchesRegex("[^\n]*after\n"));
}

TEST(Log, KeepsTheOldFileWhenItCanNotReopen) {
  const TempDir temp;
  Child child([&] {
    log::to_file("p", temp / "log", log::Level::info);
    std::filesystem::rename(temp / "log", temp / "log.1");
    std::filesystem::create_directory(temp / "log");
    log::reopen();
    log::info("after");
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_THAT(tests::read_file(temp / "log.1"), HasSubstr("info: after\n"));
}

// What a log on standard error writes, after `work`.
std::string on_stderr(const std::function<void()>& work) {
  const TempDir temp;
  Child child([&] {
    if (!::freopen((temp / "err").c_str(), "w", stderr)) return 1;
    work();
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
  return tests::read_file(temp / "err");
}

TEST(Log, OnStandardErrorKeepsToItsLevelFromTheFirstLineOn) {
  const std::string text = on_stderr([] {
    log::to_stderr("quickCheck", log::Level::warn);
    log::info("an info line");
    log::warn("a warning");
    log::error("an error");
  });
  EXPECT_THAT(text, HasSubstr("Z quickCheck["));
  EXPECT_THAT(text, HasSubstr("] warning: a warning\n"));
  EXPECT_THAT(text, HasSubstr("] error: an error\n"));
  EXPECT_THAT(text, Not(HasSubstr("an info line")));
  EXPECT_EQ(on_stderr([] { log::to_stderr("quickCheck", log::Level::debug); }), "");
}

// As a daemon does after the fork, whether or not the command has said something.
TEST(Log, OnStandardErrorIsLeftForAFile) {
  for (const bool said : {false, true}) {
    const TempDir temp;
    const std::string text = on_stderr([&] {
      log::to_stderr("restore", log::Level::info);
      if (said) log::info("before");
      log::to_file("lbhcd", temp / "log", log::Level::info);
      log::info("after");
    });
    EXPECT_EQ(text.find("after"), std::string::npos);
    EXPECT_EQ(text.empty(), !said);
    EXPECT_THAT(tests::read_file(temp / "log"), HasSubstr("] info: after\n"));
  }
}

// A system log of the calling process's own, a forked child: /dev/log in a name space of its own.
// -1 where it may not make one (a container).
int own_system_log() {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", "/dev", "tmpfs", 0, nullptr) != 0) {
    return -1;
  }
  sockaddr_un address{AF_UNIX, "/dev/log"};
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return bound ? fd : -1;
}

constexpr int kNoSystemLog = 77;

// What `work` writes to the system log goes to `path`; each message is a line. An exit code.
int to_own_system_log(const std::string& path, const std::function<void()>& work) {
  const int log = own_system_log();
  if (log < 0) return kNoSystemLog;
  work();
  std::string text;
  char buffer[1024];
  for (ssize_t n = 0; (n = ::recv(log, buffer, sizeof buffer, 0)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  tests::write_file(path, text);
  return 0;
}

TEST(Log, InTheSystemLogLinesHaveTheirSeverityAndProgram) {
  const TempDir temp;
  Child child([&] {
    return to_own_system_log(temp / "log", [] {
      log::to_syslog("lbhcd", log::Level::warn);
      log::info("an info line");
      log::warn("a warning");
      log::error("an error");
    });
  });
  const std::string pid = std::to_string(child.pid());
  const int code = child.wait();
  if (code == kNoSystemLog) GTEST_SKIP() << "no name space of its own here";
  ASSERT_EQ(code, 0);
  // <facility * 8 + severity>: daemon is 3, warning 4, error 3.
  EXPECT_THAT(tests::read_file(temp / "log"),
              testing::MatchesRegex("<28>[^\n]* lbhcd\\[" + pid +
                                    "\\]: warning: a warning\n<27>[^\n]* "
                                    "lbhcd\\[" +
                                    pid + "\\]: error: an error\n"));
}

TEST(Log, GoesToStandardErrorAndTheSystemLogAtOnce) {
  const TempDir temp;
  Child child([&] {
    if (!::freopen((temp / "err").c_str(), "w", stderr)) return 1;
    return to_own_system_log(temp / "log", [] {
      log::to_stderr_and_syslog("httpmon", log::Level::info);
      log::debug("a debug line");
      log::info("started\nmonitoring");
      log::warn("a warning");
    });
  });
  const std::string who = "httpmon\\[" + std::to_string(child.pid()) + "\\]";
  const int code = child.wait();
  if (code == kNoSystemLog) GTEST_SKIP() << "no name space of its own here";
  ASSERT_EQ(code, 0);
  EXPECT_THAT(
      tests::read_file(temp / "log"),
      testing::MatchesRegex("<30>[^\n]* " + who + ": info: started\\\\nmonitoring\n<28>[^\n]* " +
                            who + ": warning: a warning\n"));
  EXPECT_THAT(tests::read_file(temp / "err"),
              testing::MatchesRegex("[0-9T:.-]*Z " + who +
                                    " info: started\\\\nmonitoring\n"
                                    "[0-9T:.-]*Z " +
                                    who + " warning: a warning\n"));
}

// Nobody reads standard error any more, or the system log is away: the other still gets it.
TEST(Log, OneOfBothThatFailsDoesNotHinderTheOther) {
  const TempDir temp;
  Child child([&] {
    if (!::freopen("/dev/full", "w", stderr)) return 1;
    return to_own_system_log(temp / "log", [] {
      log::to_stderr_and_syslog("httpmon", log::Level::info);
      log::info("one");
      log::info("two");
    });
  });
  const int code = child.wait();
  if (code == kNoSystemLog) GTEST_SKIP() << "no name space of its own here";
  ASSERT_EQ(code, 0);
  EXPECT_THAT(tests::read_file(temp / "log"),
              testing::AllOf(HasSubstr(": one\n"), HasSubstr(": two\n")));
}

TEST(Log, IsSilentBeforeItIsSetUp) {
  Child child([] {
    log::error("nobody hears it");
    log::reopen();
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

// syslog(3) would wait for its daemon; a monitor or a responder that waits is dead.
TEST(Log, ASystemLogThatReadsNothingIsNotWaitedFor) {
  const TempDir temp;
  Child child([&] {
    return to_own_system_log(temp / "log", [] {
      log::to_syslog("lbhcd", log::Level::info);
      for (int i = 0; i < 5000; ++i) log::info("line " + std::to_string(i));
    });
  });
  const int code = child.wait();
  if (code == kNoSystemLog) GTEST_SKIP() << "no name space of its own here";
  ASSERT_EQ(code, 0);
  const std::string text = tests::read_file(temp / "log");
  EXPECT_THAT(text, HasSubstr(": line 0\n"));
  EXPECT_THAT(text, Not(HasSubstr(": line 4999\n")));
}

}  // namespace
}  // namespace genapp::common
