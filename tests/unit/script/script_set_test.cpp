#include "script/script_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "common/paths.hpp"
#include "tests/unit/common/testing.hpp"
#include "tests/unit/script/testing.hpp"

namespace genapp::script {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace paths = common::paths;
using common::Clock;
using common::State;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using tests::Child;
using tests::wait_until;

const common::Id kId("app1");
constexpr std::array kStates{State::in_service_protected, State::in_service_unprotected,
                             State::out_unimpaired, State::out_failed};
constexpr std::array kInService{State::in_service_protected, State::in_service_unprotected};
constexpr std::array kOutOfService{State::out_unimpaired, State::out_failed};

// Answers `answers` in turn, the last for good, and notes in a file what is written.
class FakeStates : public common::StateStore {
 public:
  explicit FakeStates(std::string file) : file_(std::move(file)) {}
  State read() const override {
    const State answer = answers.front();
    if (answers.size() > 1) answers.erase(answers.begin());
    return answer;
  }
  void write(State state) override {
    if (full) throw common::Error("disk full");
    answers = {state};
    std::ofstream(file_, std::ios::app) << common::state_text(state) << '\n';
  }

  mutable std::vector<State> answers{State::out_unimpaired};
  bool full = false;

 private:
  std::string file_;
};

class ScriptSetTest : public testing::Test {
 protected:
  ScriptSetTest() {
    script(Action::restore, "exit 0");
    script(Action::remove, "exit 0");
    config_.kill_after = 0s;
    config_.pass_environment = {"TMPDIR"};
  }

  Command& command(Action action) { return config_.commands.at(static_cast<std::size_t>(action)); }
  // The body of the action's script, which first notes that it runs.
  void script(Action action, const std::string& body) {
    const std::string name(row_of(action).name);
    command(action) = {
        {"/bin/sh", "-c", "cd " + files_.path() + "; echo " + name + " >> ran; " + body, "sh"},
        100s};
  }
  void state(State state) { states_.answers = {state}; }

  static std::string text(const common::Outcome& outcome) {
    return (outcome.exit_code == common::ExitCode::ok ? "ok: " : "failed: ") + outcome.reason;
  }
  std::string perform(Action action) {
    ScriptSet set(dir_, states_, common::Tag("web"), kId, "", config_, {}, Clock::now());
    try {
      switch (action) {
        case Action::restore:
          return text(set.restore());
        case Action::remove:
          return text(set.remove());
        case Action::quick_check:
          return text(set.quick_check());
        case Action::recover:
          return text(set.recover());
      }
    } catch (const common::Error& problem) {
      return std::string("error: ") + problem.what();
    }
    return "";
  }

  // A forked child: who runs a script blocks signals and adopts orphans from then on.
  Child start(Action action) {
    return Child([this, action] {
      tests::write_file(files_ / "done", perform(action));
      return 0;
    });
  }
  // "ok: …", "failed: …", or "error: …" when it throws.
  std::string act(Action action) {
    for (const char* file : {"ran", "written", "done"}) fs::remove(files_ / file);
    EXPECT_EQ(start(action).wait(), 0);
    return content("done");
  }

  // Of the last act(): the actions whose scripts have run, and the states that were written; one a
  // line.
  std::string ran() const { return content("ran"); }
  std::string written() const { return content("written"); }
  std::string content(const std::string& file) const { return tests::read_file(files_ / file); }
  void make(const std::string& file) const { tests::write_file(files_ / file, ""); }

  // Another runner's work: it has its turn until the file "go" is there.
  int hold(Action action) {
    Turn turn = Turn::take(dir_, kId, action, Clock::now() + 100s);
    make("up");
    while (!fs::exists(files_ / "go")) ::usleep(5000);
    std::move(turn).give_back([] {});
    return 0;
  }
  bool is_up() const {
    return wait_until([&] { return fs::exists(files_ / "up"); });
  }
  void expect_turn_given_back() {
    EXPECT_FALSE(common::is_alive(dir_, paths::turn_name(kId)));
    EXPECT_FALSE(common::is_alive(dir_, paths::lock_name(kId)));
  }

  tests::TempDir files_;
  tests::TempDir run_dir_;
  common::Directory dir_ = tests::open_dir(run_dir_.path());
  FakeStates states_{files_ / "written"};
  Config config_;
};

TEST_F(ScriptSetTest, ARestoreThatSucceedsPutsItInService) {
  for (const State before : kStates) {
    state(before);
    EXPECT_EQ(act(Action::restore), "ok: ");
    EXPECT_EQ(ran(), "restore\n");
    EXPECT_EQ(written(), "ISP\n");
  }
  EXPECT_TRUE(has_trace(dir_, kId));
  expect_turn_given_back();
}

TEST_F(ScriptSetTest, ARestoreThatFailsTakesItOutAsFailed) {
  script(Action::restore, "echo no disk; exit 3");
  for (const State before : kOutOfService) {
    state(before);
    EXPECT_THAT(act(Action::restore),
                ContainsRegex("^failed: its restore script .*/bin/sh.* exited with 3, and last "
                              "said: no disk$"));
    EXPECT_EQ(written(), "OSF\n");
  }
  // It may have left half of it running.
  EXPECT_TRUE(has_trace(dir_, kId));
}

TEST_F(ScriptSetTest, SoDoesOneThatCannotBeStarted) {
  command(Action::restore).argv = {"/no/such/program"};
  EXPECT_THAT(act(Action::restore), ContainsRegex("^failed: .*/no/such/program"));
  EXPECT_EQ(written(), "OSF\n");
}

TEST_F(ScriptSetTest, SoDoesOneThatTakesTooLong) {
  script(Action::restore, "exec sleep 1000");
  command(Action::restore).timeout = 100ms;
  EXPECT_THAT(act(Action::restore), HasSubstr("did not end within"));
  EXPECT_EQ(written(), "OSF\n");
}

// quickCheck goes on looking, and tells.
TEST_F(ScriptSetTest, ASecondRestoreThatFailsLeavesItInService) {
  script(Action::restore, "exit 1");
  for (const State before : kInService) {
    state(before);
    EXPECT_THAT(act(Action::restore), StartsWith("failed: "));
    EXPECT_EQ(ran(), "restore\n");
    EXPECT_EQ(written(), "");
  }
}

TEST_F(ScriptSetTest, ARemoveThatSucceedsTakesItOutAndLeavesNothing) {
  for (const State before : kStates) {
    state(State::out_unimpaired);
    ASSERT_EQ(act(Action::restore), "ok: ");
    state(before);
    EXPECT_EQ(act(Action::remove), "ok: ");
    EXPECT_EQ(ran(), "remove\n");
    EXPECT_EQ(written(), "OSU\n");
    EXPECT_THAT(dir_.names(), IsEmpty());
  }
}

TEST_F(ScriptSetTest, ARemoveThatFailsKeepsTheState) {
  script(Action::remove, "exit 4");
  for (const State before : kStates) {
    state(before);
    EXPECT_THAT(act(Action::remove),
                ContainsRegex("^failed: its remove script .* exited with 4, "));
    EXPECT_EQ(ran(), "remove\n");
    EXPECT_EQ(written(), "");
    EXPECT_TRUE(has_trace(dir_, kId));
    expect_turn_given_back();
  }
}

TEST_F(ScriptSetTest, AStateThatCannotBeWrittenFailsTheActionAndKeepsNoTurn) {
  states_.full = true;
  for (const Action action : {Action::restore, Action::remove}) {
    EXPECT_EQ(act(action), "error: disk full");
    EXPECT_TRUE(has_trace(dir_, kId));
    expect_turn_given_back();
  }
}

TEST_F(ScriptSetTest, AQuickCheckLooksOnlyAtWhatIsIsp) {
  script(Action::quick_check, "exit 1");
  for (const State other :
       {State::in_service_unprotected, State::out_unimpaired, State::out_failed}) {
    state(other);
    EXPECT_EQ(act(Action::quick_check),
              "ok: not looked at: the state is " + std::string(common::state_text(other)));
    EXPECT_EQ(ran(), "");
  }
  EXPECT_THAT(dir_.names(), IsEmpty());
}

TEST_F(ScriptSetTest, AQuickCheckTellsWhatItsScriptSaysAndWritesNoState) {
  state(State::in_service_protected);
  script(Action::quick_check, "exit 0");
  EXPECT_EQ(act(Action::quick_check), "ok: ");
  EXPECT_EQ(ran(), "quickCheck\n");
  script(Action::quick_check, "echo gone; exit 5");
  EXPECT_THAT(
      act(Action::quick_check),
      ContainsRegex("^failed: its quickcheck script .* exited with 5, and last said: gone$"));
  EXPECT_EQ(written(), "");
  EXPECT_FALSE(has_trace(dir_, kId));
}

TEST_F(ScriptSetTest, WithoutAQuickCheckItIsHealthy) {
  state(State::in_service_protected);
  EXPECT_EQ(act(Action::quick_check), "ok: it has no quickCheck");
  EXPECT_EQ(ran(), "");
  EXPECT_THAT(dir_.names(), IsEmpty());
}

TEST_F(ScriptSetTest, AQuickCheckDoesNotLookWhileARemoveIsAtWork) {
  state(State::in_service_protected);
  script(Action::quick_check, "exit 1");
  const Child other([&] { return hold(Action::remove); });
  ASSERT_TRUE(is_up());
  EXPECT_EQ(act(Action::quick_check), "ok: not looked at: a remove is at work");
  EXPECT_EQ(ran(), "");
}

TEST_F(ScriptSetTest, AQuickCheckWaitsForAnotherOnlyWithinItsTime) {
  state(State::in_service_protected);
  script(Action::quick_check, "exit 0");
  command(Action::quick_check).timeout = 100ms;
  const Child other([&] { return hold(Action::quick_check); });
  ASSERT_TRUE(is_up());
  EXPECT_THAT(act(Action::quick_check), ContainsRegex("^error: a quickCheck of .* still at work"));
  EXPECT_EQ(ran(), "");
}

TEST_F(ScriptSetTest, ARecoverRunsInServiceAndWritesNoState) {
  for (const State before : kInService) {
    state(before);
    script(Action::recover, "exit 0");
    EXPECT_EQ(act(Action::recover), "ok: ");
    EXPECT_EQ(ran(), "recover\n");
    EXPECT_EQ(written(), "");
    script(Action::recover, "exit 6");
    EXPECT_THAT(act(Action::recover),
                ContainsRegex("^failed: its recover script .* exited with 6, "));
    EXPECT_EQ(written(), "");
    expect_turn_given_back();
  }
}

TEST_F(ScriptSetTest, ARecoverIsRefusedOutOfService) {
  script(Action::recover, "exit 0");
  for (const State before : kOutOfService) {
    state(before);
    EXPECT_EQ(act(Action::recover), "error: the state is " +
                                        std::string(common::state_text(before)) +
                                        ": only a resource in service can be recovered");
    EXPECT_EQ(ran(), "");
  }
  EXPECT_THAT(dir_.names(), IsEmpty());
}

TEST_F(ScriptSetTest, ARecoverIsRefusedWhenARemoveCameWhileItWaited) {
  script(Action::recover, "exit 0");
  states_.answers = {State::in_service_protected, State::out_unimpaired};
  EXPECT_THAT(act(Action::recover), StartsWith("error: the state is OSU"));
  EXPECT_EQ(ran(), "");
  expect_turn_given_back();
}

TEST_F(ScriptSetTest, WithoutARecoverTheClusterFailsOver) {
  for (const State before : kStates) {
    state(before);
    EXPECT_EQ(act(Action::recover),
              "failed: it has no recover: leaving it to the cluster to fail over");
    EXPECT_EQ(ran(), "");
    EXPECT_EQ(written(), "");
  }
  EXPECT_THAT(dir_.names(), IsEmpty());
}

// Else a quickCheck that ends its script in time would count as one that hangs.
TEST_F(ScriptSetTest, TheLongestQuickCheckIsLongerThanItsScriptsTime) {
  // As if what came before had taken no time at all, or all of it.
  const auto longest = [this](Clock::time_point began) {
    return ScriptSet(dir_, states_, common::Tag("web"), kId, "", config_, {}, began)
        .longest_quick_check();
  };
  command(Action::quick_check).timeout = 20s;
  EXPECT_GT(longest(Clock::now() + 1h), 1h + 20s);
  EXPECT_LE(longest(Clock::now()), 21500ms);
  EXPECT_EQ(longest(Clock::now() - 21s), 1500ms);
}

}  // namespace
}  // namespace genapp::script
