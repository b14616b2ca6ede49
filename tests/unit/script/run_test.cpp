#include "script/run.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "tests/unit/common/testing.hpp"
#include "tests/unit/script/testing.hpp"

namespace genapp::script {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::Child;
using tests::wait_until;

// Longer than any test takes: what waits for it has failed.
constexpr auto kForever = 100s;

// What became of a script, as the runner told it.
struct Ran {
  int how = -1;
  int number = 0;
  std::uint64_t dropped = 0;
  std::uint64_t logged = 0;  // bytes of lines and their ends
  long memory = 0;           // KiB that the run has added to the runner's most
  std::string why;
  std::vector<std::string> lines;  // the first hundred, "o:" or "e:" and the line
  std::vector<std::string> tail;
};

constexpr int as_number(How how) { return static_cast<int>(how); }

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

long most_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// The runner is a forked child: it blocks signals, adopts orphans and can be signalled.
class RunTest : public testing::Test {
 protected:
  Job job(const std::string& text) {
    Job job;
    job.program.argv = {"/bin/sh", "-c", "cd " + temp_.path() + "\n" + text};
    job.program.environment = tests::marked_environment(mark_.name());
    job.program.limits = {{RLIMIT_CORE, 0}};
    job.timeout = kForever;
    job.kill_after = kForever;
    return job;
  }

  // For the child: runs and writes down what became of it.
  int work(const Job& job) {
    std::ofstream lines(temp_ / ".lines");
    std::uint64_t logged = 0;
    int count = 0;
    Output output({}, [&](Stream stream, std::string_view line) {
      logged += line.size() + 1;
      if (++count <= 100) lines << (stream == Stream::out ? "o:" : "e:") << line << '\n';
    });
    const long before = most_memory();
    const Result result = run(job, output);
    std::ofstream(temp_ / ".tail") << [&] {
      std::string text;
      for (const std::string& line : output.tail()) text += line + "\n";
      return text;
    }();
    std::ofstream(temp_ / ".why") << result.why;
    std::ofstream(temp_ / ".result")
        << as_number(result.how) << ' ' << result.number << ' ' << output.dropped() << ' ' << logged
        << ' ' << most_memory() - before << '\n';
    return 0;
  }

  Child start(const Job& job) {
    return Child([this, &job] { return work(job); });
  }

  Ran finish(Child& runner) {
    EXPECT_EQ(runner.wait(), 0);
    Ran ran;
    std::ifstream(temp_ / ".result") >> ran.how >> ran.number >> ran.dropped >> ran.logged >>
        ran.memory;
    ran.why = tests::read_file(temp_ / ".why");
    ran.lines = lines_of(temp_ / ".lines");
    ran.tail = lines_of(temp_ / ".tail");
    return ran;
  }

  Ran run_to_end(const Job& job) {
    Child runner = start(job);
    return finish(runner);
  }

  bool has(const std::string& name) { return fs::exists(temp_ / name); }
  void make(const std::string& name) { tests::write_file(temp_ / name, ""); }
  bool comes(const std::string& name) {
    return wait_until([&] { return has(name); });
  }
  pid_t pid_in(const std::string& name) {
    pid_t pid = 0;
    wait_until([&] {
      std::ifstream(temp_ / name) >> pid;
      return pid > 0;
    });
    return pid;
  }

  tests::TempDir temp_;
  tests::Mark mark_;
};

TEST_F(RunTest, TellsTheExitCode) {
  for (const int code : {0, 1, 2, 64, 126, 127, 128, 137, 255}) {
    const Ran ran = run_to_end(job("exit " + std::to_string(code)));
    EXPECT_EQ(ran.how, as_number(How::exited)) << code;
    EXPECT_EQ(ran.number, code);
  }
}

TEST_F(RunTest, TellsEachSignalThatKills) {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    // These do not kill, or are not the C library's to give.
    if (signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH ||
        signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU ||
        (signal > SIGSYS && signal < SIGRTMAX)) {
      continue;
    }
    const Ran ran = run_to_end(job("kill -" + std::to_string(signal) + " $$"));
    EXPECT_EQ(ran.how, as_number(How::signalled)) << signal;
    EXPECT_EQ(ran.number, signal);
  }
}

TEST_F(RunTest, GivesTheOutputOfBothStreams) {
  const Ran ran = run_to_end(job("echo a; echo b >&2; echo c; printf d >&2"));
  EXPECT_THAT(ran.lines, testing::UnorderedElementsAre("o:a", "e:b", "o:c", "e:d"));
  EXPECT_LT(std::find(ran.lines.begin(), ran.lines.end(), "o:a"),
            std::find(ran.lines.begin(), ran.lines.end(), "o:c"));
  EXPECT_THAT(ran.tail, testing::UnorderedElementsAre("a", "b", "c", "d"));
}

// What it printed last is not lost though it ends at once.
TEST_F(RunTest, ReadsWhatIsInThePipesWhenItEnds) {
  const Ran ran = run_to_end(job("exec head -c 200000 /dev/zero"));
  EXPECT_EQ(ran.dropped, 0u);
  // 195 whole pieces of 1024 bytes, and a rest of 320 that no line end follows.
  EXPECT_EQ(ran.logged, 200000u + 196);
}

TEST_F(RunTest, FiftyMegabytesAreCountedAndDoNotGrowTheRunner) {
  const Ran ran = run_to_end(job("yes | head -c 50000000; echo end >&2"));
  EXPECT_EQ(ran.how, as_number(How::exited));
  EXPECT_EQ(ran.number, 0);
  EXPECT_EQ(ran.dropped + ran.logged, 50000000u + 4);
  EXPECT_LT(ran.logged, 300u * 1024);
  EXPECT_LT(ran.memory, 16 * 1024);
  EXPECT_THAT(ran.tail, testing::Contains("end"));
}

TEST_F(RunTest, TheScriptHasNoDescriptorButThree) {
  Child runner([&] {
    if (::open("/dev/null", O_RDONLY) < 0) return 1;  // without close-on-exec
    return work(job("ls /proc/$$/fd; readlink /proc/$$/fd/0"));
  });
  EXPECT_THAT(finish(runner).lines, ElementsAre("o:0", "o:1", "o:2", "o:/dev/null"));
}

TEST_F(RunTest, AtTheTimeoutItIsToldToEnd) {
  Job slow = job("sleep 1000 & exec sleep 1000");
  slow.timeout = 200ms;
  const Ran ran = run_to_end(slow);
  EXPECT_EQ(ran.how, as_number(How::timed_out));
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

TEST_F(RunTest, WhatIgnoresTermIsKilled) {
  Job stubborn = job("trap '' TERM; while :; do sleep 1000; done");
  stubborn.timeout = 200ms;
  stubborn.kill_after = 100ms;
  EXPECT_EQ(run_to_end(stubborn).how, as_number(How::timed_out));
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

TEST_F(RunTest, AStoppedScriptIsEndedToo) {
  Job stopped = job("kill -STOP $$");
  stopped.timeout = 200ms;
  stopped.kill_after = 100ms;
  EXPECT_EQ(run_to_end(stopped).how, as_number(How::timed_out));
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

TEST_F(RunTest, WithoutAKillAfterItIsKilledAtOnce) {
  Job check = job("trap 'touch told' TERM; while :; do sleep 1000; done");
  check.timeout = 200ms;
  check.kill_after = 0ms;
  EXPECT_EQ(run_to_end(check).how, as_number(How::timed_out));
  EXPECT_FALSE(has("told"));
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

TEST_F(RunTest, ASignalToTheRunnerEndsTheScript) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    fs::remove(temp_ / "up");
    fs::remove(temp_ / "told");
    const Job waiting =
        job("trap 'echo bye; touch told; exit 0' TERM; touch up\n"
            "while :; do sleep 0.01; done");
    Child runner = start(waiting);
    ASSERT_TRUE(comes("up"));
    runner.signal(signal);
    const Ran ran = finish(runner);
    EXPECT_EQ(ran.how, as_number(How::interrupted));
    EXPECT_EQ(ran.number, signal);
    EXPECT_TRUE(has("told"));
    EXPECT_THAT(ran.lines, testing::Contains("o:bye"));
    EXPECT_THAT(mark_.processes(), IsEmpty());
  }
}

// TERM reaches the group only; what has left it and ignores TERM is found all the same.
TEST_F(RunTest, AGrandchildInASessionOfItsOwnIsEndedToo) {
  Job job = this->job(
      "setsid sh -c 'trap \"\" TERM; touch up; while :; do sleep 1000; done' &\n"
      "while :; do sleep 1000; done");
  job.kill_after = 100ms;
  Child runner = start(job);
  ASSERT_TRUE(comes("up"));
  runner.signal(SIGTERM);
  EXPECT_EQ(finish(runner).how, as_number(How::interrupted));
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

// A leader with much memory is a while on its way out; only then its children are the runner's.
TEST_F(RunTest, ALeaderThatIsSlowToDieHidesNothing) {
  Job job = this->job(
      "setsid sleep 1000 & echo $$ > leader\n"
      "exec dd if=/dev/zero of=/dev/null bs=128M status=none");
  job.kill_after = 0ms;
  Child runner = start(job);
  const pid_t leader = pid_in("leader");
  ASSERT_TRUE(wait_until([&] {
    long pages = 0;
    std::ifstream statm("/proc/" + std::to_string(leader) + "/statm");
    statm >> pages >> pages;  // the second number is what is in memory
    return pages * ::sysconf(_SC_PAGESIZE) > 120'000'000;
  }));
  runner.signal(SIGTERM);
  EXPECT_EQ(finish(runner).how, as_number(How::interrupted));
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

TEST_F(RunTest, WhatIsKeptStaysAndCanGoOnPrinting) {
  const Ran ran =
      run_to_end(job("(readlink /proc/self/fd/1 > pipe; while [ ! -e go ]; do sleep 0.01; done\n"
                     "echo more; echo more >&2; touch printed; exec sleep 1000) &\n"
                     "while [ ! -s pipe ]; do sleep 0.01; done; echo started; exit 3"));
  EXPECT_EQ(ran.how, as_number(How::exited));
  EXPECT_EQ(ran.number, 3);
  EXPECT_THAT(ran.lines, ElementsAre("o:started"));
  ASSERT_FALSE(mark_.processes().empty());
  make("go");
  // With a SIGPIPE it would have died before.
  EXPECT_TRUE(comes("printed"));
  ASSERT_TRUE(common::end_carriers(mark_.name(), 20s));
  // Whoever reads for it ends with it.
  const std::string pipe = lines_of(temp_ / "pipe").at(0);
  EXPECT_TRUE(wait_until([&] {
    std::error_code ignored;
    for (const auto& process : fs::directory_iterator("/proc")) {
      for (fs::directory_iterator fd(process.path() / "fd", ignored), end; fd != end;
           fd.increment(ignored)) {
        if (fs::read_symlink(fd->path(), ignored) == pipe) return false;
        if (ignored) break;
      }
    }
    return true;
  }));
}

TEST_F(RunTest, WhatIsAwaitedHasEndedWhenTheRunHas) {
  Job stop =
      job("(setsid sh -c 'while [ ! -e go ]; do sleep 0.01; done; echo late; touch gone') &\n"
          "echo $$ > leader; exit 4");
  stop.leftovers = Leftovers::await;
  Child runner = start(stop);
  const pid_t leader = pid_in("leader");
  ASSERT_TRUE(wait_until([&] { return tests::process_state(leader) == 'Z'; }));
  std::this_thread::sleep_for(100ms);
  EXPECT_TRUE(runner.running());
  make("go");
  const Ran ran = finish(runner);
  EXPECT_TRUE(has("gone"));
  EXPECT_EQ(ran.how, as_number(How::exited));
  EXPECT_EQ(ran.number, 4);
  EXPECT_THAT(ran.lines, ElementsAre("o:late"));
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

TEST_F(RunTest, WhatIsAwaitedForTooLongIsEnded) {
  Job stop = job("setsid sleep 1000 & exit 0");
  stop.leftovers = Leftovers::await;
  stop.timeout = 200ms;
  stop.kill_after = 100ms;
  EXPECT_EQ(run_to_end(stop).how, as_number(How::timed_out));
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

TEST_F(RunTest, AnAwaitThatIsInterruptedEndsWhatIsLeft) {
  Job stop = job("setsid sleep 1000 & echo $$ > leader; exit 0");
  stop.leftovers = Leftovers::await;
  stop.kill_after = 100ms;
  Child runner = start(stop);
  const pid_t leader = pid_in("leader");
  ASSERT_TRUE(wait_until([&] { return tests::process_state(leader) == 'Z'; }));
  runner.signal(SIGTERM);
  EXPECT_EQ(finish(runner).how, as_number(How::interrupted));
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

TEST_F(RunTest, WhatACheckLeavesIsEnded) {
  Job check = job("sleep 1000 & setsid sh -c 'trap \"\" TERM; sleep 1000' & exit 1");
  check.leftovers = Leftovers::end;
  const Ran ran = run_to_end(check);
  EXPECT_EQ(ran.how, as_number(How::exited));
  EXPECT_EQ(ran.number, 1);
  EXPECT_THAT(mark_.processes(), IsEmpty());
}

// A shell that becomes the runner leaves it its own: `heartbeat & exec quickCheck ...`.
TEST_F(RunTest, AChildThatTheRunnerHadBeforeIsNotTheScripts) {
  for (const Leftovers leftovers : {Leftovers::end, Leftovers::await}) {
    Job check = job("exit 0");
    check.leftovers = leftovers;
    Child runner([&] {
      common::Child before = tests::spawn_sleeper("");
      work(check);
      const bool lives = !before.wait(0ms);
      ::kill(before.pid(), SIGKILL);
      return lives ? 0 : 1;
    });
    EXPECT_EQ(finish(runner).how, as_number(How::exited));
  }
}

TEST_F(RunTest, AKilledRunnerTakesTheScriptItselfAlong) {
  const Job waiting = job("touch up; exec sleep 1000");
  {
    Child runner = start(waiting);
    ASSERT_TRUE(comes("up"));
    runner.signal(SIGKILL);
    EXPECT_EQ(runner.wait(), -1);
  }
  EXPECT_TRUE(wait_until([&] { return mark_.processes().empty(); }));
}

TEST_F(RunTest, SaysWhyItCouldNotStart) {
  tests::write_file(temp_ / "plain", "#!/bin/sh\n");
  tests::write_file(temp_ / "empty", "");
  tests::write_file(temp_ / "crlf", "#!/bin/sh\r\nexit 0\r\n");
  tests::write_file(temp_ / "lost", "#!/no/such/shell -e\n");
  tests::write_file(temp_ / "garbage", "neither\n");
  for (const char* name : {"empty", "crlf", "lost", "garbage"}) {
    ASSERT_EQ(::chmod((temp_ / name).c_str(), 0755), 0);
  }
  fs::create_directory(temp_ / "folder");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"missing", "No such file or directory"},
      {"plain", "not executable"},
      {"empty", "the file is empty"},
      {"crlf", "carriage return"},
      {"lost", "its interpreter \"/no/such/shell\" does not exist"},
      {"garbage", "begins with #!"},
      {"folder", "it is a directory"},
      {"plain/x", "Not a directory"},
  };
  for (const auto& [name, why] : cases) {
    Job wrong = job("");
    wrong.program.argv = {temp_ / name};
    const Ran ran = run_to_end(wrong);
    EXPECT_EQ(ran.how, as_number(How::could_not_start)) << name;
    EXPECT_THAT(ran.why, testing::AllOf(HasSubstr(temp_ / name), HasSubstr(why)));
  }
}

}  // namespace
}  // namespace genapp::script
