#include "script/turn.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "common/paths.hpp"
#include "common/process.hpp"
#include "tests/unit/common/testing.hpp"
#include "tests/unit/script/testing.hpp"

namespace genapp::script {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using common::Clock;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using tests::Child;
using tests::error_of;
using tests::wait_until;

const common::Id kId("app1");
// Longer than any test takes.
constexpr auto kForever = 100s;

class TurnTest : public testing::Test {
 protected:
  Turn take(Action action, Clock::duration limit = kForever) {
    return Turn::take(dir_, kId, action, Clock::now() + limit);
  }
  void give_back(Turn turn) {
    std::move(turn).give_back([] {});
  }
  void take_and_give_back(Action action) { give_back(take(action)); }

  // Another runner; it has its turn when the constructor is through. It keeps it until it is ended,
  // or until the file "go" is there, whatever signals come.
  enum class Term { ends, is_ignored };
  Child holder(Action action, Term term = Term::ends) {
    fs::remove(temp_ / ".up");
    return Child([this, action, term] {
      if (term == Term::is_ignored) ::signal(SIGTERM, SIG_IGN);
      Turn turn = take(action);
      make(".up");
      while (!has(".go")) ::usleep(5000);
      give_back(std::move(turn));
      return 0;
    });
  }
  bool is_up() {
    return wait_until([&] { return has(".up"); });
  }

  // A runner that is killed in its turn, after it has started something.
  void leave_behind(Action action, const std::string& path) {
    Child killed([&] {
      const Turn turn = take(action);
      tests::spawn_sleeper(turn.run(), false);
      tests::write_file(path, turn.run());
      ::kill(::getpid(), SIGKILL);
      return 0;
    });
    ASSERT_EQ(killed.wait(), -1);
  }

  bool has(const std::string& name) { return fs::exists(temp_ / name); }
  void make(const std::string& name) { tests::write_file(temp_ / name, ""); }

  tests::TempDir temp_;
  common::Directory dir_ = tests::open_dir(temp_.path());
};

TEST_F(TurnTest, TheFileSaysWhoseTurnItIs) {
  const auto ticks = common::start_ticks(::getpid()).value();
  Turn turn = take(Action::restore);
  EXPECT_EQ(turn.run(), std::to_string(::getpid()) + "." + std::to_string(ticks));
  EXPECT_EQ(tests::read_file(temp_ / "app1.turn"),
            std::to_string(::getpid()) + " " + std::to_string(ticks) + " restore\n");
  EXPECT_TRUE(common::is_alive(dir_, "app1.turn"));
  give_back(std::move(turn));
  EXPECT_EQ(tests::read_file(temp_ / "app1.turn"), "");
  EXPECT_FALSE(common::is_alive(dir_, "app1.turn"));
  EXPECT_THAT(dir_.names(), ElementsAre("app1.lock", "app1.turn"));
}

TEST_F(TurnTest, OneAtATime) {
  for (const Action held : {Action::restore, Action::remove, Action::recover}) {
    Child other = holder(held, Term::is_ignored);
    ASSERT_TRUE(is_up());
    for (const Action wanted : {Action::restore, Action::recover}) {
      EXPECT_THAT(error_of([&] { take(wanted, 50ms); }),
                  AllOf(HasSubstr("a " + std::string(row_of(held).name) + " of the id \"app1\""),
                        HasSubstr("is still at work"),
                        HasSubstr("(process " + std::to_string(other.pid()) + ")")));
    }
    EXPECT_TRUE(other.running());
  }
}

TEST_F(TurnTest, ARemoveWaitsForARemove) {
  Child other = holder(Action::remove);
  ASSERT_TRUE(is_up());
  EXPECT_THAT(error_of([&] { take(Action::remove, 50ms); }), HasSubstr("a remove of the id"));
  EXPECT_TRUE(other.running());
}

TEST_F(TurnTest, WhoWaitsIsNext) {
  Child first = holder(Action::remove);
  ASSERT_TRUE(is_up());
  Child second([&] {
    take_and_give_back(Action::restore);
    return fs::exists(temp_ / ".go") ? 0 : 1;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_TRUE(second.running());
  make(".go");
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(second.wait(), 0);
}

TEST_F(TurnTest, ChecksHaveTheirOwnTurn) {
  Child other = holder(Action::restore);
  ASSERT_TRUE(is_up());
  take_and_give_back(Action::quick_check);
  Child check = holder(Action::quick_check);
  ASSERT_TRUE(is_up());
  EXPECT_THAT(error_of([&] { take(Action::quick_check, 50ms); }), HasSubstr("a quickCheck of"));
  make(".go");
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(check.wait(), 0);
}

TEST_F(TurnTest, ARestoreDoesNotWaitForACheck) {
  Child check = holder(Action::quick_check);
  ASSERT_TRUE(is_up());
  take_and_give_back(Action::restore);
  EXPECT_TRUE(check.running());
}

TEST_F(TurnTest, ARemoveCutsIntoARestoreAndARecover) {
  for (const Action held : {Action::restore, Action::recover}) {
    Child other = holder(held);
    ASSERT_TRUE(is_up());
    take_and_give_back(Action::remove);
    EXPECT_EQ(other.wait(), -1);
  }
}

TEST_F(TurnTest, AtItsDeadlineARemoveKillsWhoDoesNotGiveWay) {
  Child other = holder(Action::restore, Term::is_ignored);
  ASSERT_TRUE(is_up());
  give_back(take(Action::remove, 100ms));
  EXPECT_EQ(other.wait(), -1);
}

TEST_F(TurnTest, TheNextEndsWhatAKilledOneHasLeft) {
  for (const Action killed : {Action::restore, Action::remove, Action::recover}) {
    for (const Action next : {Action::restore, Action::remove, Action::recover}) {
      leave_behind(killed, temp_ / ".run");
      const std::string run = tests::read_file(temp_ / ".run");
      ASSERT_THAT(tests::marked_processes(run), SizeIs(1));
      Turn turn = take(next);
      EXPECT_THAT(tests::marked_processes(run), IsEmpty());
      give_back(std::move(turn));
    }
  }
}

TEST_F(TurnTest, WhatAKilledCheckHasLeftIsEndedByEverybody) {
  for (const ActionRow& next : kActions) {
    leave_behind(Action::quick_check, temp_ / ".run");
    const std::string run = tests::read_file(temp_ / ".run");
    ASSERT_THAT(tests::marked_processes(run), SizeIs(1));
    Turn turn = take(next.action);
    EXPECT_THAT(tests::marked_processes(run), IsEmpty());
    give_back(std::move(turn));
  }
}

// A check that runs is not a killed one.
TEST_F(TurnTest, WhatALivingCheckHasStartedIsLeftAlone) {
  Child check([&] {
    const Turn turn = take(Action::quick_check);
    tests::spawn_sleeper(turn.run());
    tests::write_file(temp_ / ".run", turn.run());
    make(".up");
    ::pause();
    return 0;
  });
  ASSERT_TRUE(is_up());
  take_and_give_back(Action::restore);
  EXPECT_THAT(tests::marked_processes(tests::read_file(temp_ / ".run")), SizeIs(1));
}

// They are the application.
TEST_F(TurnTest, WhatARestoreThatEndedHasLeftStays) {
  Child restore([&] {
    Turn turn = take(Action::restore);
    tests::spawn_sleeper(turn.run(), false);
    tests::write_file(temp_ / ".run", turn.run());
    give_back(std::move(turn));
    return 0;
  });
  ASSERT_EQ(restore.wait(), 0);
  const std::string run = tests::read_file(temp_ / ".run");
  take_and_give_back(Action::recover);
  take_and_give_back(Action::quick_check);
  EXPECT_THAT(tests::marked_processes(run), SizeIs(1));
  EXPECT_TRUE(common::end_carriers(run, 20s));
}

// A start of the daemon's may be half written, by a runner that was killed in the middle of it.
TEST_F(TurnTest, AFileThatSaysNothingIsNobodys) {
  for (const char* text : {"", "garbage", "4711 99 resto"}) {
    tests::write_file(temp_ / "app1.turn", text);
    take_and_give_back(Action::restore);
  }
}

TEST_F(TurnTest, TheStateIsNotedWithTheMutexAndAfterTheTurn) {
  Turn turn = take(Action::restore);
  bool noted = false;
  std::move(turn).give_back([&] {
    noted = true;
    EXPECT_TRUE(common::is_alive(dir_, "app1.lock"));
    EXPECT_FALSE(common::is_alive(dir_, "app1.turn"));
  });
  EXPECT_TRUE(noted);
  EXPECT_FALSE(common::is_alive(dir_, "app1.lock"));
}

TEST_F(TurnTest, ANoteThatFailsDoesNotKeepTheTurn) {
  for (const bool for_good : {false, true}) {
    const auto fail = [] { throw common::Error("disk full"); };
    EXPECT_EQ(error_of([&] {
                Turn turn = take(Action::remove);
                for_good ? std::move(turn).give_back_for_good(fail)
                         : std::move(turn).give_back(fail);
              }),
              "disk full");
    EXPECT_TRUE(has_trace(dir_, kId));
    take_and_give_back(Action::remove);
  }
}

TEST_F(TurnTest, GivenBackForGoodItLeavesNothing) {
  take_and_give_back(Action::quick_check);
  take_and_give_back(Action::restore);
  EXPECT_TRUE(has_trace(dir_, kId));
  bool noted = false;
  take(Action::remove).give_back_for_good([&] { noted = true; });
  EXPECT_TRUE(noted);
  EXPECT_FALSE(has_trace(dir_, kId));
  EXPECT_THAT(dir_.names(), IsEmpty());
}

TEST_F(TurnTest, ARunningCheckKeepsItsFileAndTheMutex) {
  Child check = holder(Action::quick_check);
  ASSERT_TRUE(is_up());
  take(Action::remove).give_back_for_good([] {});
  EXPECT_THAT(dir_.names(), ElementsAre("app1.check", "app1.lock"));
  make(".go");
  EXPECT_EQ(check.wait(), 0);
}

TEST_F(TurnTest, ATraceIsWhatAnActionLeavesUntilARemoveSucceeds) {
  EXPECT_FALSE(has_trace(dir_, kId));
  take_and_give_back(Action::quick_check);
  EXPECT_FALSE(has_trace(dir_, kId));
  Turn turn = take(Action::restore);
  EXPECT_TRUE(has_trace(dir_, kId));
  give_back(std::move(turn));
  EXPECT_TRUE(has_trace(dir_, kId));
  EXPECT_FALSE(has_trace(dir_, common::Id("app2")));
}

TEST_F(TurnTest, OnlyALivingRemoveIsAtWork) {
  EXPECT_FALSE(remove_is_at_work(dir_, kId));
  for (const Action held : {Action::restore, Action::recover, Action::quick_check}) {
    Child other = holder(held);
    ASSERT_TRUE(is_up());
    EXPECT_FALSE(remove_is_at_work(dir_, kId));
  }
  {
    Child other = holder(Action::remove);
    ASSERT_TRUE(is_up());
    EXPECT_TRUE(remove_is_at_work(dir_, kId));
  }
  // Killed: its word stays in the file.
  EXPECT_THAT(tests::read_file(temp_ / "app1.turn"), HasSubstr(" remove\n"));
  EXPECT_FALSE(remove_is_at_work(dir_, kId));
}

}  // namespace
}  // namespace genapp::script
