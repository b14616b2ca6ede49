#include "agent/run/process_monitor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>
#include <list>
#include <thread>

#include "agent/run/process_table.hpp"
#include "common/spawn.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/agent/run/testing.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A program of a name of its own.
class ProcessTest : public testing::Test, protected Bench {
 protected:
  ProcessTest() { std::filesystem::copy_file("/bin/sleep", folder / name); }
  ~ProcessTest() override {
    for (common::Child& child : running) {
      ::kill(child.pid(), SIGKILL);
      child.reap();
    }
  }

  pid_t start() {
    common::Spawn what;
    what.argv = {folder / name, "1000"};
    running.push_back(common::spawn(what));
    return running.back().pid();
  }
  void end(pid_t pid) {
    const auto at = std::find_if(running.begin(), running.end(),
                                 [&](const auto& child) { return child.pid() == pid; });
    ::kill(pid, SIGKILL);
    at->reap();
    running.erase(at);
  }
  ProcessRule rule(std::size_t instances = 1) const {
    ProcessRule rule{{name}};
    rule.instances = instances;
    return rule;
  }
  ProcessMonitors::Number watch(const ProcessRule& what) {
    return monitors.watch(what, [this](const Verdict& verdict) { seen.push_back(verdict); });
  }
  Verdict next() {
    EXPECT_TRUE(run_until(io, [this] { return !seen.empty(); }));
    if (seen.empty()) return {false, "nothing was seen"};
    const Verdict first = seen.front();
    seen.erase(seen.begin());
    return first;
  }

  // 12 bytes at most.
  const std::string name = "gap" + std::to_string(::getpid());
  std::list<common::Child> running{};
  std::vector<Verdict> seen{};
  std::vector<std::string> complaints{};
  ProcessMonitors monitors{io, [this](const std::string& text) { complaints.push_back(text); }};
};

TEST_F(ProcessTest, OneThatRunsIsHealthyAndNothingMoreIsSaid) {
  start();
  watch(rule());
  EXPECT_TRUE(seen.empty());
  EXPECT_TRUE(next().healthy);
  run_for(io, 100ms);
  EXPECT_TRUE(seen.empty());
}

TEST_F(ProcessTest, NoneAtAllFails) {
  watch(rule());
  const Verdict verdict = next();
  EXPECT_FALSE(verdict.healthy);
  EXPECT_EQ(verdict.reason, "process \"" + name + "\": 0 of 1 run");
}

TEST_F(ProcessTest, ADeathIsSeenWithoutCounting) {
  const pid_t pid = start();
  ProcessRule never = rule();
  never.recount_interval = 0s;
  watch(never);
  ASSERT_TRUE(next().healthy);
  end(pid);
  const Verdict verdict = next();
  EXPECT_FALSE(verdict.healthy);
  EXPECT_EQ(verdict.reason, "process \"" + name + "\" (pid " + std::to_string(pid) +
                                ") has ended; process \"" + name + "\": 0 of 1 run");
}

TEST_F(ProcessTest, AZombieHasEnded) {
  const pid_t pid = start();
  watch(rule());
  ASSERT_TRUE(next().healthy);
  ::kill(pid, SIGKILL);
  EXPECT_FALSE(next().healthy);
  EXPECT_FALSE(facts_of(pid));
  watch(rule());
  EXPECT_FALSE(next().healthy);
}

TEST_F(ProcessTest, WhenItRunsAgainItIsHealthyAgainAndEachDeathIsTold) {
  pid_t pid = start();
  watch(rule());
  ASSERT_TRUE(next().healthy);
  for (int i = 0; i < 2; ++i) {
    end(pid);
    EXPECT_FALSE(next().healthy);
    pid = start();
    EXPECT_TRUE(next().healthy);
  }
}

TEST_F(ProcessTest, AFurtherDeathOfAFailedOneIsTold) {
  const pid_t first = start();
  const pid_t second = start();
  watch(rule(2));
  ASSERT_TRUE(next().healthy);
  end(first);
  EXPECT_THAT(next().reason, HasSubstr("1 of 2 run"));
  end(second);
  EXPECT_THAT(next().reason, HasSubstr("0 of 2 run"));
}

TEST_F(ProcessTest, ASuccessorThatIsThereIsNoFailure) {
  const pid_t first = start();
  watch(rule());
  ASSERT_TRUE(next().healthy);
  const pid_t second = start();
  end(first);
  run_for(io, 200ms);
  EXPECT_TRUE(seen.empty());
  // It is watched in turn.
  end(second);
  EXPECT_FALSE(next().healthy);
}

TEST_F(ProcessTest, OneThatBecomesAnotherProgramIsMissed) {
  common::Spawn what;
  const std::string other = name + "b";
  std::filesystem::copy_file("/bin/sleep", folder / other);
  // Its shell has the name, until it is told to be another.
  std::filesystem::copy_file("/bin/sh", folder / (name + "s"));
  what.argv = {
      folder / (name + "s"), "-c",
      "until test -e " + folder / "go" + "; do sleep 0.01; done; exec " + folder / other + " 1000"};
  running.push_back(common::spawn(what));
  ProcessRule shell{{name + "s"}};
  shell.recount_interval = 100ms;
  watch(shell);
  ASSERT_TRUE(next().healthy);
  tests::write_file(folder / "go", "x");
  EXPECT_FALSE(next().healthy);
}

TEST_F(ProcessTest, OneTooManyFailsWhenItIsCounted) {
  start();
  ProcessRule often = rule();
  often.recount_interval = 100ms;
  watch(often);
  ASSERT_TRUE(next().healthy);
  const pid_t second = start();
  const Verdict verdict = next();
  EXPECT_FALSE(verdict.healthy);
  EXPECT_THAT(verdict.reason, testing::AllOf(HasSubstr("2 run instead of 1 (pids "),
                                             HasSubstr(std::to_string(second))));
  end(second);
  EXPECT_TRUE(next().healthy);
}

TEST_F(ProcessTest, OneTooManyForAMomentIsNone) {
  start();
  const pid_t second = start();
  watch(rule());
  run_for(io, 50ms);
  end(second);
  EXPECT_TRUE(next().healthy);
}

TEST_F(ProcessTest, SomebodyElsesDoNotCount) {
  start();
  ProcessRule of_other = rule();
  of_other.owner = ::geteuid() + 1;
  watch(of_other);
  EXPECT_THAT(next().reason,
              HasSubstr(" of user " + std::to_string(::geteuid() + 1) + ": 0 of 1 run"));
  ProcessRule of_us = rule();
  of_us.owner = ::geteuid();
  watch(of_us);
  EXPECT_TRUE(next().healthy);
}

TEST_F(ProcessTest, EachOfTheNamesIsNeeded) {
  start();
  ProcessRule two = rule();
  two.names.push_back(name + "x");
  watch(two);
  EXPECT_THAT(next().reason, HasSubstr(name + "x\": 0 of 1 run"));
}

TEST_F(ProcessTest, ALongNameIsTheExecutables) {
  const std::string longer = name + "-with-a-long-name";
  std::filesystem::copy_file("/bin/sleep", folder / longer);
  common::Spawn what;
  what.argv = {folder / longer, "1000"};
  running.push_back(common::spawn(what));
  watch({{longer}});
  EXPECT_TRUE(next().healthy);
  watch({{longer + "er"}});
  EXPECT_FALSE(next().healthy);
  watch({{longer.substr(0, 15)}});  // as ps shows it
  EXPECT_TRUE(next().healthy);
}

TEST_F(ProcessTest, AnUnwatchedOneIsToldNothing) {
  const pid_t pid = start();
  const std::size_t before = open_descriptors();
  const auto first = watch(rule());
  const auto second = watch(rule());
  ASSERT_TRUE(next().healthy && next().healthy);
  EXPECT_EQ(open_descriptors(), before + 1);  // one process, one pidfd
  monitors.unwatch(first);
  end(pid);
  EXPECT_FALSE(next().healthy);
  run_for(io, 50ms);
  EXPECT_TRUE(seen.empty());
  monitors.unwatch(second);
  monitors.unwatch(second);
}

TEST_F(ProcessTest, AMonitorMayEndItselfWhenItIsTold) {
  const pid_t pid = start();
  ProcessMonitors::Number number = 0;
  int told = 0;
  number = monitors.watch(rule(), [&](const Verdict& verdict) {
    ++told;
    if (!verdict.healthy) monitors.unwatch(number);
  });
  ASSERT_TRUE(run_until(io, [&] { return told == 1; }));
  end(pid);
  ASSERT_TRUE(run_until(io, [&] { return told == 2; }));
}

TEST_F(ProcessTest, WithoutDescriptorsItIsLookedAtInstead) {
  const pid_t pid = start();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  // /proc is read with what is left, one descriptor at a time, and no pidfd can be kept.
  rlimit few = before;
  few.rlim_cur = open_descriptors() + 4;
  std::vector<common::Fd> all;
  ::setrlimit(RLIMIT_NOFILE, &few);
  while (true) {
    common::Fd fd(::dup(0));
    if (!fd) break;
    all.push_back(std::move(fd));
  }
  watch(rule());
  run_for(io, 50ms);
  EXPECT_TRUE(seen.empty());  // nothing can be said
  EXPECT_THAT(complaints, testing::ElementsAre(HasSubstr("Too many open files")));
  all.clear();
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(next().healthy);
  end(pid);
  EXPECT_FALSE(next().healthy);
}

TEST(ProcessFactsTest, ThisProcessIsFound) {
  const auto pids = ProcessList().all();
  EXPECT_THAT(pids, testing::Contains(::getpid()));
  const auto facts = facts_of(::getpid());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->owner, ::geteuid());
  EXPECT_EQ(facts->command, command_name_of(::getpid()));
  EXPECT_FALSE(facts_of(0));
  EXPECT_EQ(command_name_of(0), "");
}

TEST(ProcessFactsTest, OneWhoseFirstThreadHasEndedStillRuns) {
  // 15 bytes, so that the program's own name is asked for, too.
  const std::string name = "first-thread-of";
  tests::Child child([&name] {
    ::prctl(PR_SET_NAME, name.c_str());
    std::thread([] { ::pause(); }).detach();
    ::syscall(SYS_exit, 0);
    return 0;
  });
  const std::string stat = "/proc/" + std::to_string(child.pid()) + "/stat";
  ASSERT_TRUE(tests::wait_until([&] {
    return tests::read_file(stat).find(name + ") Z ") != std::string::npos;
  })) << tests::read_file(stat);
  const auto facts = facts_of(child.pid());
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->command, name);
  EXPECT_EQ(facts->owner, ::geteuid());
  EXPECT_EQ(facts->program, std::filesystem::read_symlink("/proc/self/exe").filename());
  EXPECT_NE(facts->argument, "");
  ::kill(child.pid(), SIGKILL);
  EXPECT_TRUE(tests::wait_until([&] { return !facts_of(child.pid()); }));
}

TEST(ProcessFactsTest, ANameOfItsOwnDoesNotPassForAnotherUser) {
  tests::Child child([] {
    ::prctl(PR_SET_NAME, "a\nUid:\t7\t7");
    ::pause();
    return 0;
  });
  ASSERT_TRUE(tests::wait_until([&] { return command_name_of(child.pid()).starts_with("a\n"); }));
  EXPECT_EQ(facts_of(child.pid())->owner, ::geteuid());
}

// Children, and those that run all the time a call takes: the test's own, and process 1.
class ProcessListTest : public testing::Test {
 protected:
  ProcessListTest() {
    for (int i = 0; i < 200; ++i) {
      if (i == 100) tests::Child([] { return 0; }).wait();  // whose number is missing
      children.emplace_back([] {
        ::pause();
        return 0;
      });
      pids.push_back(children.back().pid());
    }
    std::sort(pids.begin(), pids.end());
  }

  static bool has(const std::vector<pid_t>& pids, pid_t pid) {
    return std::find(pids.begin(), pids.end(), pid) != pids.end();
  }
  // What others() must find, when `known` are known.
  void expect_others(const std::vector<pid_t>& known) {
    const auto others = list.others(known);
    for (const pid_t pid : pids) {
      const bool is_known = std::binary_search(known.begin(), known.end(), pid);
      EXPECT_NE(has(others, pid), is_known) << pid;
    }
    EXPECT_TRUE(has(others, ::getpid()));
    EXPECT_TRUE(has(others, 1));
  }

  std::list<tests::Child> children{};
  std::vector<pid_t> pids{};
  ProcessList list{};
};

TEST_F(ProcessListTest, WhatIsNotKnownIsFoundWhereverItsNumberLies) {
  const auto all = list.all();
  for (const pid_t pid : pids) EXPECT_TRUE(has(all, pid));
  expect_others(pids);
  // Single ones, pairs, a long row; at either end.
  for (const auto& [from, to] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 1}, {199, 200}, {50, 51}, {98, 100}, {60, 120}, {0, 40}, {150, 200}}) {
    SCOPED_TRACE(std::to_string(from) + " to " + std::to_string(to));
    std::vector<pid_t> known(pids.begin(), pids.begin() + static_cast<long>(from));
    known.insert(known.end(), pids.begin() + static_cast<long>(to), pids.end());
    expect_others(known);
  }
}

TEST_F(ProcessListTest, AThreadIsNoProcess) {
  list.all();
  std::promise<pid_t> told;
  std::promise<void> over;
  std::thread thread([&] {
    told.set_value(::gettid());
    over.get_future().wait();
  });
  const pid_t tid = told.get_future().get();
  // So that its number is one between those that are known.
  children.emplace_back([] {
    ::pause();
    return 0;
  });
  pids.push_back(children.back().pid());
  std::sort(pids.begin(), pids.end());
  EXPECT_FALSE(has(list.others(pids), tid));
  EXPECT_FALSE(has(list.all(), tid));
  expect_others(pids);
  over.set_value();
  thread.join();
}

TEST_F(ProcessListTest, WhereFewAreKnownOrNoneWasSeenAllAreFound) {
  for (const auto& known : {std::vector<pid_t>{}, std::vector<pid_t>{pids[0]}, pids}) {
    ProcessList fresh;
    const auto others = fresh.others(known);
    for (const pid_t pid : pids) EXPECT_TRUE(has(others, pid));
  }
}

}  // namespace
}  // namespace genapp::agent
