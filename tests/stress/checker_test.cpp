// The checker can fail: each history here has one thing in it that must not be, beside one that
// only looks like it.

#include "tests/stress/checker.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::tests {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

std::string said(const std::string& reason) { return "x restore[1] error: \"lb\": " + reason; }

Call call(Action action, Time begin, Time end, int exit_code, const std::string& reason = "") {
  Call call{action, begin, end, exit_code};
  if (!reason.empty()) call.err = said(reason);
  return call;
}

Call killed(Action action, Time begin, Time end) {
  Call call{action, begin, end, -1};
  call.signalled = true;
  return call;
}

Look look(Time at, bool alive, const std::string& state) { return {at, at, alive, state}; }

constexpr char kRunning[] = "a daemon for the id \"app1\" is already running: remove it first";

// In service from 0 to 10 ms; the rest is from 500 ms. Probed every 5 ms.
class CheckerTest : public testing::Test {
 protected:
  CheckerTest() {
    history.hc_timeout = 100ms;
    history.first_restore = {call(Action::restore, 0ms, 8ms, 0)};
    history.first_state = "ISP";
    history.first_check = {call(Action::quick_check, 8ms, 10ms, 0)};
    for (Time at = 5ms; at < 590ms; at += 5ms) {
      history.attempts.push_back({at, at + 1ms, Attempt::Answer::whole});
    }
    history.looks = {look(11ms, true, "ISP")};
    rest_serves();
    history.rest.quick_check = call(Action::quick_check, 500ms, 510ms, 0);
    history.rest.remove = call(Action::remove, 510ms, 520ms, 0);
  }

  void rest_serves() {
    history.rest.daemons = 1;
    history.rest.state = "ISP";
    history.rest.port_open = true;
    history.rest.files = {"app1.lock", "app1.pid", "app1.sock", "app1.state"};
  }
  void rest_is_out(const std::string& state = "") {
    history.rest.daemons = 0;
    history.rest.state = state;
    history.rest.port_open = false;
    history.rest.files.clear();
  }
  void out_of_service_at_first() {
    history.first_restore.clear();
    history.first_check.clear();
    history.looks = {look(11ms, false, "")};
    history.attempts.clear();
  }
  void add(const Call& made) { history.calls.push_back(made); }
  void kill_daemon(Time at) { history.faults.push_back({Fault::Kind::killed, at}); }
  void stop_daemon(Time at) { history.faults.push_back({Fault::Kind::stopped, at}); }

  void expect_well() { EXPECT_THAT(violations(history), IsEmpty()); }
  void expect(const std::string& complaint) {
    EXPECT_THAT(violations(history), Contains(HasSubstr(complaint)));
  }

  History history;
};

TEST_F(CheckerTest, AQuietLifeIsWell) { expect_well(); }

TEST_F(CheckerTest, TheFirstRestoreMustSucceed) {
  history.first_restore = {call(Action::restore, 0ms, 8ms, 1, kRunning)};
  expect("a restore of what is out of service failed");
}

TEST_F(CheckerTest, AndRecordIsp) {
  history.first_state = "";
  expect("said 0 and the state is");
}

TEST_F(CheckerTest, AndBeHealthy) {
  history.first_check = {call(Action::quick_check, 8ms, 10ms, 1, "the daemon is not running")};
  expect("not healthy after a restore");
}

TEST_F(CheckerTest, OnlyZeroAndOneAreAnswers) {
  add(call(Action::quick_check, 20ms, 30ms, 64, "wrong"));
  expect("nothing but 0 or 1");
}

TEST_F(CheckerTest, OnlyAKilledCallMayEndByASignal) {
  add(killed(Action::quick_check, 20ms, 30ms));
  expect_well();
  history.calls.back().signalled = false;
  expect("nothing but 0 or 1");
}

TEST_F(CheckerTest, ACallMustEnd) {
  add(call(Action::remove, 20ms, 30ms, -1));
  history.calls.back().over_limit = true;
  expect("did not end");
}

TEST_F(CheckerTest, QuickCheckMustNotTakeLong) {
  add(call(Action::quick_check, 20ms, 12s, 0));
  expect("took too long");
}

TEST_F(CheckerTest, AFailureNeedsAReason) {
  add(call(Action::restore, 20ms, 30ms, 1));
  expect("no reason given");
}

TEST_F(CheckerTest, OnlyTheErrorLineIsTheReason) {
  add(call(Action::restore, 20ms, 30ms, 1, "this and that"));
  history.calls.back().err = "x restore[1] info: is already running\n" + history.calls.back().err;
  expect("can't be explained");
}

TEST_F(CheckerTest, ARemoveNeverFails) {
  add(call(Action::remove, 20ms, 30ms, 1, kRunning));
  expect("can't be explained");
}

TEST_F(CheckerTest, APortInUseIsNoAnswer) {
  add(call(Action::restore, 20ms, 30ms, 1, kRunning));
  expect_well();
  add(call(Action::restore, 20ms, 30ms, 1, "port 1 (any address) is in use by another program"));
  expect("can't be explained");
}

TEST_F(CheckerTest, AlreadyRunningNeedsADaemon) {
  out_of_service_at_first();
  rest_is_out("OSF");
  add(call(Action::restore, 20ms, 30ms, 1, kRunning));
  expect("can't be explained");
}

TEST_F(CheckerTest, StoppedWhileStartingNeedsSomebodyWhoStopsIt) {
  out_of_service_at_first();
  rest_is_out("OSF");
  const std::string stopped = "the daemon was stopped while it was being started";
  add(call(Action::restore, 20ms, 30ms, 1, stopped));
  expect("can't be explained");
  kill_daemon(25ms);
  expect_well();
}

TEST_F(CheckerTest, HangingNeedsAStop) {
  const std::string hangs = "the daemon runs but it did not answer in time: it hangs";
  add(call(Action::quick_check, 20ms, 30ms, 1, hangs));
  expect("nothing was stopped");
  stop_daemon(15ms);
  expect_well();
}

TEST_F(CheckerTest, NoProbeNeedsAGap) {
  add(call(Action::quick_check, 20ms, 400ms, 1, "no probe for HC_TIMEOUT: stopped after 1 probe"));
  expect("can't be explained");
  std::erase_if(history.attempts,
                [](const Attempt& at) { return at.begin > 200ms && at.begin < 350ms; });
  expect_well();
}

TEST_F(CheckerTest, ARestoresZeroHolds) {
  out_of_service_at_first();
  rest_is_out();
  add(call(Action::restore, 20ms, 30ms, 0));
  expect("and nothing serves");
  kill_daemon(50ms);
  history.rest.state = "ISP";
  history.rest.quick_check =
      call(Action::quick_check, 500ms, 510ms, 1, "the daemon is not running");
  expect_well();
}

TEST_F(CheckerTest, ARestoresZeroHoldsAlsoInTheStateFile) {
  out_of_service_at_first();
  history.rest.state = "OSF";
  add(call(Action::restore, 20ms, 30ms, 0));
  expect("and the state is \"OSF\"");
}

TEST_F(CheckerTest, ARemoveBesideItMayUndoARestore) {
  out_of_service_at_first();
  rest_is_out();
  add(call(Action::restore, 20ms, 30ms, 0));
  add(call(Action::remove, 25ms, 40ms, 0));
  expect_well();
}

TEST_F(CheckerTest, ARemoveThatWasKilledMayUndoItLater) {
  out_of_service_at_first();
  rest_is_out("ISP");
  history.rest.quick_check =
      call(Action::quick_check, 500ms, 510ms, 1, "the daemon is not running");
  add(killed(Action::remove, 10ms, 15ms));
  add(call(Action::restore, 20ms, 30ms, 0));
  expect_well();
}

TEST_F(CheckerTest, ARecoversZeroHolds) {
  rest_is_out("ISP");
  history.rest.quick_check =
      call(Action::quick_check, 500ms, 510ms, 1, "the daemon is not running");
  add(call(Action::recover, 20ms, 30ms, 0));
  expect("and nothing serves");
}

TEST_F(CheckerTest, ARemovesZeroHoldsWhateverRecoversDo) {
  add(call(Action::remove, 20ms, 30ms, 0));
  add(call(Action::recover, 25ms, 60ms, 0));
  expect("and something serves");
  expect("and the state is ISP");
  rest_is_out();
  expect_well();
}

TEST_F(CheckerTest, ARestoreAfterARemoveMayServe) {
  add(call(Action::remove, 20ms, 30ms, 0));
  add(call(Action::restore, 40ms, 60ms, 0));
  expect_well();
}

TEST_F(CheckerTest, ARemoveLeavesNoFile) {
  rest_is_out();
  add(call(Action::remove, 20ms, 30ms, 0));
  history.rest.files = {"app1.sock"};
  expect("there is still app1.sock");
}

TEST_F(CheckerTest, HealthyNeedsALivingDaemon) {
  kill_daemon(15ms);
  history.looks.push_back(look(18ms, false, "ISP"));
  history.attempts.clear();
  rest_is_out("ISP");
  history.rest.quick_check =
      call(Action::quick_check, 500ms, 510ms, 1, "the daemon is not running");
  add(call(Action::quick_check, 20ms, 30ms, 1, "the daemon is not running"));
  expect_well();
  history.calls.back() = call(Action::quick_check, 20ms, 30ms, 0);
  expect("healthy, and no daemon lives");
}

TEST_F(CheckerTest, ARecoverBesideItMayHaveStartedADaemon) {
  kill_daemon(15ms);
  history.looks.push_back(look(18ms, false, "ISP"));
  history.attempts.clear();
  add(call(Action::recover, 19ms, 40ms, 0));
  add(call(Action::quick_check, 20ms, 30ms, 0));
  expect_well();
}

TEST_F(CheckerTest, NotHealthyNeedsAFault) {
  add(call(Action::quick_check, 20ms, 30ms, 1, "the daemon is not running"));
  expect("nothing is wrong");
  kill_daemon(15ms);
  expect_well();
}

TEST_F(CheckerTest, ASignalTakesAMomentToKill) {
  kill_daemon(15ms);
  history.looks.push_back(look(18ms, true, "ISP"));
  add(call(Action::quick_check, 20ms, 30ms, 1, "the daemon is not running"));
  expect_well();
  history.faults.front().at = -10s;
  expect("nothing is wrong");
}

TEST_F(CheckerTest, OfTwoRestoresOneIsRefused) {
  out_of_service_at_first();
  add(call(Action::restore, 20ms, 40ms, 0));
  add(call(Action::restore, 25ms, 45ms, 0));
  expect("a second restore said 0");
  history.already_running_ok = true;
  expect_well();
  history.already_running_ok = false;
  kill_daemon(42ms);
  expect_well();
}

TEST_F(CheckerTest, RepliesAreWhole) {
  history.rest.remove.begin = history.rest.remove.end = 10s;
  history.attempts[10].answer = Attempt::Answer::wrong;
  expect("a wrong reply");
  history.attempts[10].answer = Attempt::Answer::silent;
  expect("no answer");
  history.attempts[10].answer = Attempt::Answer::cut;
  expect("cut short");
  kill_daemon(50ms);
  expect_well();
}

TEST_F(CheckerTest, AListenerThatIsClosedMayLeaveAProbeSilent) {
  history.attempts.back().answer = Attempt::Answer::silent;
  history.rest.remove.begin = history.attempts.back().begin + 10s;
  history.rest.remove.end = history.rest.remove.begin + 10ms;
  expect("no answer");
  history.rest.remove.begin = history.attempts.back().begin + 10ms;
  expect_well();
}

TEST_F(CheckerTest, NobodyServesWithoutTheLock) {
  history.looks.push_back(look(18ms, false, "ISP"));
  expect("answered, and no daemon lives");
}

TEST_F(CheckerTest, AtRestThereAreNotTwo) {
  history.rest.daemons = 2;
  expect("2 daemons");
}

TEST_F(CheckerTest, AtRestNoneIsLeftThatNobodyNoted) {
  history.rest.settled = false;
  expect("nobody took note of");
}

TEST_F(CheckerTest, AtRestDaemonAndPortAgree) {
  history.rest.port_open = false;
  expect("daemon and port do not agree");
}

TEST_F(CheckerTest, AtRestWhatServesIsInService) {
  history.rest.state = "OSF";
  expect("it serves and the state is \"OSF\"");
}

TEST_F(CheckerTest, AtRestQuickCheckTellsExactly) {
  history.rest.quick_check =
      call(Action::quick_check, 500ms, 510ms, 1, "the daemon is not running");
  expect("at rest, with 1 daemons");
  rest_is_out("ISP");
  history.attempts.clear();
  expect_well();
  history.rest.quick_check = call(Action::quick_check, 500ms, 510ms, 0);
  expect("at rest, with 0 daemons");
}

TEST_F(CheckerTest, TheLastRemoveLeavesNothing) {
  history.rest.files_after_remove = {".app1.state.new"};
  expect("a remove left .app1.state.new");
  history.rest.daemons_after_remove = 1;
  expect("a remove left a process");
  history.rest.port_open_after_remove = true;
  expect("a remove left the port open");
  history.rest.remove = call(Action::remove, 510ms, 520ms, 1, "no");
  expect("at rest; exit 1");
}

}  // namespace
}  // namespace genapp::tests
