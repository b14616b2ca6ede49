#include "common/spawn.hpp"

#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdlib>
#include <functional>
#include <set>
#include <sstream>

#include "common/capture.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "tests/support/node.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::error_of;
using tests::TempDir;

constexpr auto kLong = std::chrono::minutes(2);  // ends a failing test, nothing else

Spawn program(std::vector<std::string> argv) {
  Spawn what;
  what.argv = std::move(argv);
  return what;
}

// What a program prints about itself. Nothing when it does not end well.
std::string printed(Spawn what) {
  const Captured run = capture(std::move(what), kLong, 64 * 1024);
  return run.ending == Ending{} && !run.timed_out ? run.out.text : "";
}

Spawn status_lines(const std::string& pattern) {
  return program({"/usr/bin/grep", "-E", pattern, "/proc/self/status"});
}

bool has_children() { return ::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }

TEST(Spawn, TheChildLeadsASessionAndAGroupOfItsOwn) {
  std::istringstream stat(printed(program({"/usr/bin/cat", "/proc/self/stat"})));
  std::string name, state;
  int pid = 0, parent = 0, group = 0, session = 0, terminal = 0;
  stat >> pid >> name >> state >> parent >> group >> session >> terminal;
  EXPECT_EQ(parent, ::getpid());
  EXPECT_EQ(group, pid);
  EXPECT_EQ(session, pid);
  EXPECT_EQ(terminal, 0);
}

TEST(Spawn, TheChildIsInTheRootFolderAndReadsNothing) {
  EXPECT_EQ(printed(program({"/usr/bin/readlink", "/proc/self/cwd"})), "/\n");
  EXPECT_EQ(printed(program({"/usr/bin/readlink", "/proc/self/fd/0"})), "/dev/null\n");
}

TEST(Spawn, TheChildIsInTheFolderThatIsAskedFor) {
  const TempDir folder;
  Spawn what = program({"/usr/bin/readlink", "/proc/self/cwd"});
  what.directory = folder.path();
  EXPECT_EQ(printed(what), folder.path() + "\n");
}

TEST(Spawn, AFolderThatCantBeEnteredIsTold) {
  const TempDir folder;
  Spawn what = program({"/bin/true"});
  what.directory = folder / "none";
  EXPECT_EQ(error_of([&] { spawn(what); }),
            "\"/bin/true\" can't be started: changing to its folder \"" + what.directory +
                "\": No such file or directory");
  EXPECT_FALSE(has_children());
}

// The folder's own mode decides for the user that the child becomes, not for us.
TEST(Spawn, TheFolderIsEnteredWithTheChildsRights) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  const TempDir folder;  // mode 0700
  Spawn what = program({"/bin/true"});
  what.identity = Identity{65534, 65534, {}};
  what.directory = folder.path();
  EXPECT_THAT(error_of([&] { spawn(what); }), HasSubstr("Permission denied"));
}

TEST(Spawn, WithoutStreamsTheyAreDevNull) {
  Child child = spawn(program({"/bin/sh", "-c",
                               "test \"$(readlink /proc/$$/fd/1)\" = /dev/null && "
                               "test \"$(readlink /proc/$$/fd/2)\" = /dev/null"}));
  EXPECT_EQ(child.reap(), Ending{});
}

// What a shell has open, when it is not itself looking.
constexpr char kOpen[] = "for f in /proc/$$/fd/*; do test -e \"$f\" && echo \"${f##*/}\"; done; :";

TEST(Spawn, NoDescriptorButTheThreeReachesTheChild) {
  std::vector<Fd> many;
  for (int i = 0; i < 200; ++i) {
    many.emplace_back(::open("/dev/null", O_RDONLY | (i % 2 ? O_CLOEXEC : 0)));
    ASSERT_TRUE(many.back());
  }
  const Fd far(::fcntl(many[0].get(), F_DUPFD, 900));
  EXPECT_EQ(printed(program({"/bin/sh", "-c", kOpen})), "0\n1\n2\n");
}

TEST(Spawn, SignalsAreAtTheirDefaultAndNoneIsBlocked) {
  tests::Child child([] {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_IGN);
    const std::string lines = printed(status_lines("^Sig(Blk|Ign):"));
    std::istringstream in(lines);
    int rows = 0;
    for (std::string name, value; in >> name >> value; ++rows) {
      if (value.find_first_not_of('0') != std::string::npos) {
        ::fprintf(stderr, "%s", lines.c_str());
        return 1;
      }
    }
    return rows == 2 ? 0 : 2;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Spawn, UmaskIsOursToSay) {
  const mode_t before = ::umask(0077);
  EXPECT_EQ(printed(status_lines("^Umask:")), "Umask:\t0022\n");
  Spawn what = status_lines("^Umask:");
  what.umask = 0137;
  EXPECT_EQ(printed(what), "Umask:\t0137\n");
  EXPECT_EQ(::umask(before), 0077u);
}

TEST(Spawn, LimitsAreSoftAndHard) {
  Spawn what =
      program({"/usr/bin/grep", "-E", "Max (open files|core file size)", "/proc/self/limits"});
  what.limits = {{RLIMIT_NOFILE, 64}, {RLIMIT_CORE, 0}};
  std::istringstream lines(printed(what));
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(26));
    std::string soft, hard;
    words >> soft >> hard;
    seen.insert(soft + " " + hard);
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAre("64 64", "0 0"));
}

TEST(Spawn, ASoftLimitAloneLeavesTheHardOne) {
  rlimit ours{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &ours), 0);
  ASSERT_GT(ours.rlim_max, 64u);
  Spawn what = program({"/bin/sh", "-c", "ulimit -Sn; ulimit -Hn"});
  what.limits = {{RLIMIT_NOFILE, 64, true}};
  EXPECT_EQ(printed(what), "64\n" + std::to_string(ours.rlim_max) + "\n");
}

TEST(Spawn, TheChildWritesWhoItIsBeforeItRuns) {
  const Fd record(::memfd_create("record", MFD_CLOEXEC));
  Spawn what = program({"/bin/sleep", "1000"});
  what.pid_record = record.get();
  Child child = spawn(what);
  char text[64] = {};
  ASSERT_GT(::pread(record.get(), text, sizeof text - 1, 0), 0);
  EXPECT_EQ(text, format_pid_record({child.pid(), start_ticks(child.pid()).value()}));
  ::kill(child.pid(), SIGKILL);
  child.reap();
}

TEST(Spawn, TheRecordIsNotTheProgramsToWrite) {
  const Fd record(::memfd_create("record", 0));
  Spawn what = program({"/bin/sh", "-c", kOpen});
  what.pid_record = record.get();
  EXPECT_EQ(printed(what), "0\n1\n2\n");
}

TEST(Spawn, ARecordThatCantBeWrittenStopsNothing) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  Spawn what = program({"/bin/true"});
  what.pid_record = full.get();
  EXPECT_EQ(spawn(what).reap(), Ending{});
}

TEST(Spawn, ALimitThatCantBeSetIsTold) {
  Spawn what = program({"/bin/true"});
  what.limits = {{9999, 1}};
  EXPECT_THAT(error_of([&] { spawn(what); }),
              HasSubstr("can't be started: setting its limits: Invalid argument"));
  EXPECT_FALSE(has_children());
}

TEST(Spawn, TheEnvironmentIsExactlyAsGiven) {
  const tests::ScopedEnv ours("GENAPP_TEST_SECRET", "x");
  Spawn what = program({"/usr/bin/env"});
  EXPECT_EQ(printed(what), "");
  what.environment = {"A=1", "B=two words", "A=again"};
  EXPECT_EQ(printed(what), "A=1\nB=two words\nA=again\n");
}

TEST(Spawn, ArgumentsAreGivenAsTheyAre) {
  EXPECT_EQ(printed(program({"/usr/bin/printf", "[%s]", "a b", "", "$HOME;'\"", "\xff\n"})),
            "[a b][][$HOME;'\"][\xff\n]");
}

TEST(Spawn, BecomesSomebodyElseOrSaysWhyNot) {
  Spawn what = status_lines("^(Uid|Gid|Groups):");
  what.identity = Identity{65534, 65533, {65532, 65531}};
  if (::geteuid() != 0) {
    EXPECT_THAT(error_of([&] { spawn(what); }),
                HasSubstr("becoming its user: Operation not permitted"));
    return;
  }
  const std::string lines = printed(what);
  EXPECT_THAT(lines, AllOf(HasSubstr("Uid:\t65534\t65534\t65534\t65534\n"),
                           HasSubstr("Gid:\t65533\t65533\t65533\t65533\n")));
  EXPECT_THAT(lines,
              testing::AnyOf(HasSubstr("Groups:\t65531 65532"), HasSubstr("Groups:\t65532 65531")));
}

// A child whose parent, a copy of this test, has ended.
pid_t orphan(bool ends_with_parent, const TempDir& temp) {
  tests::Child parent([&] {
    Spawn what = program({"/bin/sleep", "1000"});
    what.ends_with_parent = ends_with_parent;
    tests::write_file(temp / "pid", std::to_string(spawn(what).pid()));
    return 0;
  });
  EXPECT_EQ(parent.wait(), 0);
  return static_cast<pid_t>(std::stol(tests::read_file(temp / "pid")));
}

TEST(Spawn, EndsWithItsParentIfAsked) {
  const TempDir temp;
  const pid_t pid = orphan(true, temp);
  EXPECT_TRUE(tests::wait_until([&] { return !tests::process_exists(pid); }));
}

TEST(Spawn, OutlivesItsParentIfAsked) {
  const TempDir temp;
  const pid_t pid = orphan(false, temp);
  EXPECT_TRUE(tests::process_exists(pid));
  ::kill(pid, SIGKILL);
}

TEST(Spawn, EndsWithItsParentAsSomebodyElseToo) {
  if (::geteuid() != 0) {
    Spawn what = program({"/bin/true"});
    what.identity = Identity{};
    EXPECT_THROW(spawn(what), StartError);
    return;
  }
  const TempDir temp;
  tests::Child parent([&] {
    Spawn what = program({"/bin/sleep", "1000"});
    what.identity = Identity{65534, 65534, {}};
    tests::write_file(temp / "pid", std::to_string(spawn(what).pid()));
    return 0;
  });
  EXPECT_EQ(parent.wait(), 0);
  const auto pid = static_cast<pid_t>(std::stol(tests::read_file(temp / "pid")));
  EXPECT_TRUE(tests::wait_until([&] { return !tests::process_exists(pid); }));
}

TEST(SpawnReap, TellsTheExitCodeOrTheSignal) {
  EXPECT_EQ(spawn(program({"/bin/sh", "-c", "exit 0"})).reap(), Ending{});
  EXPECT_EQ(spawn(program({"/bin/sh", "-c", "exit 255"})).reap(), (Ending{false, 255}));
  EXPECT_EQ(spawn(program({"/bin/sh", "-c", "kill -KILL $$"})).reap(), (Ending{true, SIGKILL}));
  EXPECT_FALSE(has_children());
}

TEST(SpawnReap, WaitDoesNotReap) {
  Child child = spawn(program({"/bin/sleep", "1000"}));
  EXPECT_FALSE(child.wait(std::chrono::milliseconds(20)));
  ::kill(-child.pid(), SIGKILL);
  EXPECT_TRUE(child.wait(kLong));
  EXPECT_EQ(::kill(child.pid(), 0), 0);  // a zombie keeps its pid
  EXPECT_EQ(child.reap(), (Ending{true, SIGKILL}));
  EXPECT_THROW(child.reap(), Error);
}

TEST(SpawnReap, WorksForACallerThatIgnoresItsChildren) {
  tests::Child child([] {
    ::signal(SIGCHLD, SIG_IGN);
    return spawn(program({"/bin/sh", "-c", "exit 7"})).reap() == Ending{false, 7} ? 0 : 1;
  });
  EXPECT_EQ(child.wait(), 0);
}

// LifeKeeper or systemd may start us so; the launcher's own pipe must not land among the streams.
TEST(Spawn, WorksWithoutStandardStreams) {
  for (const std::set<int>& closed : {std::set{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 1, 2}}) {
    tests::Child child([&] {
      for (const int fd : closed) ::close(fd);
      const Captured run =
          capture(program({"/bin/sh", "-c", std::string("echo err >&2; ") + kOpen}), kLong, 4096);
      if (run.out.text != "0\n1\n2\n" || run.err.text != "err\n") return 1;
      if (error_of([] { spawn(program({"/nonexistent"})); }).empty()) return 2;
      for (const int fd : closed) {
        if (::fcntl(fd, F_GETFD) != -1) return 3;
      }
      return 0;
    });
    EXPECT_EQ(child.wait(), 0) << *closed.begin() << " of " << closed.size();
  }
}

TEST(Spawn, OurStreamsCanBeTheChildsInAnyOrder) {
  tests::Child child([] {
    const Fd first(::memfd_create("first", MFD_CLOEXEC));
    const Fd second(::memfd_create("second", MFD_CLOEXEC));
    ::dup2(first.get(), STDOUT_FILENO);
    ::dup2(second.get(), STDERR_FILENO);
    Spawn what = program({"/bin/sh", "-c", "echo out; echo err >&2"});
    what.out = STDERR_FILENO;
    what.err = STDOUT_FILENO;
    if (spawn(what).reap() != Ending{}) return 1;
    char text[8] = {};
    if (::pread(first.get(), text, sizeof text, 0) != 4 || std::string(text) != "err\n") return 2;
    if (::pread(second.get(), text, sizeof text, 0) != 4 || std::string(text) != "out\n") return 3;
    return 0;
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Spawn, AFailureLeavesNoZombieAndRunsNothingOfOurs) {
  const TempDir temp;
  static std::string mark;
  mark = temp / "mark";
  tests::Child child([&] {
    // What this process would do at its end: the failed child must not.
    std::atexit([] { tests::write_file(mark, "x"); });
    if (error_of([&] { spawn(program({temp / "none"})); }).empty()) return 1;
    return has_children() ? 2 : 0;
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(mark));
}

struct Unstartable {
  const char* name;
  std::string content;
  mode_t mode;
  int error;
  std::string part;
};

void PrintTo(const Unstartable& tested, std::ostream* out) { *out << tested.name; }

class WhyNotExecuted : public testing::TestWithParam<Unstartable> {};

TEST_P(WhyNotExecuted, IsSaidInWords) {
  const TempDir temp;
  const std::string path = temp / "script";
  tests::write_file(path, GetParam().content);
  ::chmod(path.c_str(), GetParam().mode);
  try {
    spawn(program({path}));
    FAIL() << "it was started";
  } catch (const StartError& problem) {
    EXPECT_THAT(problem.what(), AllOf(HasSubstr("\"" + path + "\" can't be started: "),
                                      HasSubstr(GetParam().part)));
    EXPECT_EQ(problem.errno_value(), GetParam().error);
  }
  EXPECT_FALSE(has_children());
}

INSTANTIATE_TEST_SUITE_P(
    Spawn, WhyNotExecuted,
    testing::Values(
        Unstartable{"NotExecutable", "#!/bin/sh\n", 0644, EACCES, "not executable: chmod +x"},
        Unstartable{"WrongInterpreter", "#!/nosuch/sh -e\n", 0755, ENOENT,
                    "its interpreter \"/nosuch/sh\" does not exist"},
        Unstartable{"CarriageReturn", "#!/bin/sh\r\nexit 0\r\n", 0755, ENOENT,
                    "carriage return: give the file UNIX line ends"},
        Unstartable{"InterpreterNotExecutable", "#! /etc/passwd\n", 0755, EACCES,
                    "its interpreter \"/etc/passwd\" is not executable"},
        Unstartable{"Empty", "", 0755, ENOEXEC, "the file is empty"},
        Unstartable{"NoFirstLine", "exit 0\n", 0755, ENOEXEC, "a script begins with #!"},
        Unstartable{"OnlyTheMark", "#!\n", 0755, ENOEXEC, "a script begins with #!"},
        Unstartable{"Binary",
                    std::string("\x7f"
                                "ELF\0\0\0\0",
                                8),
                    0755, ENOEXEC, "neither a program for this machine"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(WhyNotExecutedPath, MissingOrAFolder) {
  const TempDir temp;
  EXPECT_THAT(error_of([&] { spawn(program({temp / "none"})); }),
              HasSubstr("No such file or directory"));
  EXPECT_THAT(error_of([&] { spawn(program({temp.path()})); }), HasSubstr("it is a directory"));
  EXPECT_THAT(error_of([&] { spawn(program({"/etc/passwd/x"})); }), HasSubstr("Not a directory"));
  EXPECT_THAT(error_of([&] { spawn(program({"/dev/null"})); }), HasSubstr("not a regular file"));
}

TEST(WhyNotExecutedPath, TooLargeAnEnvironmentIsTold) {
  Spawn what = program({"/bin/true"});
  what.environment = {"A=" + std::string(1 << 20, 'x')};
  EXPECT_THAT(error_of([&] { spawn(what); }), HasSubstr("Argument list too long"));
}

// However few descriptors are left, it is started and held, or is not and leaves nothing.
TEST(SpawnDescriptors, WhateverIsMissingItFailsAsAnErrorAndLeavesNoChild) {
  tests::Child alone([] {
    int started = 0;
    int refused = 0;
    for (rlim_t most = 3; most < 40; ++most) {
      const rlimit limit{most, 4096};
      if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
      try {
        Child child = spawn({.argv = {"/bin/true"}});
        child.reap();
        ++started;
      } catch (const Error&) {
        ++refused;
      }
      if (::waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) return 2;
    }
    return started > 5 && refused > 5 ? 0 : 3;
  });
  EXPECT_EQ(alone.wait(), 0);
}

}  // namespace
}  // namespace genapp::common
