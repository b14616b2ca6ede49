#include "lbhc/daemon.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "common/file_lock.hpp"
#include "common/flag_file.hpp"
#include "common/log.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "lbhc/control.hpp"
#include "lbhc/stop.hpp"
#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using common::Clock;
using common::Id;
using common::Tag;
using testing::HasSubstr;
using testing::StartsWith;
using tests::accepts;
using tests::Child;
using tests::error_of;
using tests::probe;
using tests::wait_until;

const Id kId("app1");
constexpr char kFlag[] = "app1-hc-ng";

// A daemon in a forked child. What it complains about goes to `problem_file`; it exits with 0 when
// it ended in order, 1 on an Error, 2 when another daemon runs.
class DaemonTest : public testing::Test {
 protected:
  DaemonTest() {
    config_.port = port_.number();
    config_.hc_timeout = 200ms;
    config_.message = "OK";
  }

  int run(const std::function<void(DaemonSetup&)>& change) {
    DaemonSetup setup{
        .run_dir = dir_, .tag = Tag("lb"), .id = kId, .config = config_, .wait_first_probe = false};
    change(setup);
    try {
      run_daemon(std::move(setup));
      return 0;
    } catch (const DaemonIsRunning& other) {
      tests::write_file(problem_file_, other.what());
      return 2;
    } catch (const common::Error& problem) {
      tests::write_file(problem_file_, problem.what());
      return 1;
    }
  }
  // Returns once it answers; `change` adds to its setup.
  void start(const std::function<void(DaemonSetup&)>& change = [](DaemonSetup&) {}) {
    daemon_.emplace([this, change] { return run(change); });
    ASSERT_TRUE(wait_until([this] { return !daemon_->running() || answers(); }));
    ASSERT_TRUE(daemon_->running()) << problem();
  }
  // Runs it to its end.
  int start_and_wait(const std::function<void(DaemonSetup&)>& change = [](DaemonSetup&) {}) {
    daemon_.emplace([this, change] { return run(change); });
    return daemon_->wait();
  }

  Status status() const { return ask_status(dir_, kId, 20s); }
  bool answers() const {
    return error_of([this] { status(); }).empty();
  }
  bool flag_up() const { return common::flag_is_up(dir_, kId); }
  bool flag_comes() const {
    return wait_until([this] { return flag_up(); });
  }
  bool flag_goes() const {
    return wait_until([this] { return !flag_up(); });
  }
  std::string problem() const { return tests::read_file(problem_file_); }
  void probe_once() const { EXPECT_EQ(probe(port_.number()).bytes, "OK"); }
  // Of the files that a daemon makes; the lock may stay, as it is never unlinked while contended.
  std::vector<std::string> files() const {
    auto names = dir_.names();
    std::erase(names, "app1.lock");
    return names;
  }

  tests::TempDir temp_;
  tests::Port port_;
  std::string problem_file_ = temp_ / "problem";
  std::string run_path_ = make_folder(temp_ / "run");
  common::Directory dir_ = tests::open_dir(run_path_);
  Config config_;
  std::optional<Child> daemon_;

 private:
  static std::string make_folder(const std::string& path) {
    std::filesystem::create_directory(path);
    return path;
  }
};

TEST_F(DaemonTest, ServesAndEndsInOrderOnTerm) {
  config_.hc_timeout = 1h;
  start();
  probe_once();
  const Status seen = status();
  EXPECT_EQ(seen.tag, "lb");
  EXPECT_EQ(seen.id, "app1");
  EXPECT_EQ(seen.pid, daemon_->pid());
  EXPECT_EQ(seen.phase, Phase::serving);
  EXPECT_EQ(seen.port, port_.number());
  EXPECT_EQ(seen.protocol, "tcp");
  EXPECT_EQ(seen.hc_timeout_ms, 3'600'000);
  EXPECT_EQ(seen.probes, 1u);
  EXPECT_EQ(seen.answered, 1u);
  ASSERT_TRUE(seen.last_probe);
  EXPECT_EQ(seen.last_probe->source, "127.0.0.1");
  EXPECT_FALSE(seen.no_probe);
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_THAT(files(), testing::IsEmpty());
  EXPECT_FALSE(accepts(port_.number()));
}

// Once its files are there, they are cleaned up, whenever the signal comes.
TEST_F(DaemonTest, EndsInOrderOnASignalThatComesBeforeItListens) {
  config_.hc_timeout = 1h;
  for (const int signal : {SIGTERM, SIGINT}) {
    SCOPED_TRACE(signal);
    EXPECT_EQ(start_and_wait([signal](DaemonSetup& setup) {
                setup.before_start = [signal] { ::raise(signal); };
              }),
              0);
    EXPECT_THAT(files(), testing::IsEmpty());
  }
}

TEST_F(DaemonTest, EndsOnIntAndNotOnHup) {
  start();
  daemon_->signal(SIGHUP);
  EXPECT_TRUE(answers());
  daemon_->signal(SIGINT);
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_THAT(files(), testing::IsEmpty());
}

// Every round the flag comes after HC_TIMEOUT or later, counted from a moment that lies before the
// clock's own start: so a flag that came early would be seen, however slow this machine is.
TEST_F(DaemonTest, RaisesTheFlagAfterHcTimeoutAndNeverBefore) {
  auto before = Clock::now();
  start();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(flag_comes());
    EXPECT_GE(Clock::now() - before, config_.hc_timeout);
    before = Clock::now();
    probe_once();
    ASSERT_TRUE(flag_goes());
  }
}

TEST_F(DaemonTest, KeepsTheFlagDownWhileProbesCome) {
  config_.hc_timeout = 10s;
  start();
  const auto began = Clock::now();
  for (int i = 0; i < 20; ++i) {
    probe_once();
    // Only a machine that stood still for 10 s may show a flag.
    const bool up = flag_up();
    EXPECT_TRUE(!up || Clock::now() - began > 9s);
  }
  EXPECT_EQ(status().probes, 20u);
}

TEST_F(DaemonTest, TheFlagTellsItsCauseAsOneLineOfJson) {
  start();
  ASSERT_TRUE(flag_comes());
  const std::string line = tests::read_file(run_path_ + "/" + kFlag);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto never = boost::json::parse(line).as_object();
  EXPECT_EQ(never.at("cause"), "never probed");
  EXPECT_EQ(never.at("id"), "app1");
  EXPECT_EQ(never.at("hc_timeout_ms").to_number<int>(), 200);
  EXPECT_EQ(status().no_probe, "never probed");
  probe_once();
  ASSERT_TRUE(flag_goes());
  ASSERT_TRUE(flag_comes());
  const auto stopped = boost::json::parse(tests::read_file(run_path_ + "/" + kFlag)).as_object();
  EXPECT_THAT(std::string(stopped.at("cause").as_string()),
              StartsWith("stopped after 1 probe at 2"));
  EXPECT_EQ(stopped.at("last_probe").at("source"), "127.0.0.1");
}

// A flag that an earlier daemon left says nothing about this one.
TEST_F(DaemonTest, TakesAStaleFlagAwayBeforeItListens) {
  config_.hc_timeout = 1h;
  common::raise_flag(dir_, kId, "stale");
  start();
  EXPECT_FALSE(flag_up());
}

// Nobody can stop a daemon whose pid file is gone, so it ends by itself.
TEST_F(DaemonTest, EndsWhenItsPidFileWasDeleted) {
  start();
  ASSERT_TRUE(dir_.unlink("app1.pid"));
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_THAT(problem(), HasSubstr("was deleted or replaced"));
  EXPECT_FALSE(accepts(port_.number()));
}

// It may be another daemon's by then: nothing of that one's is taken away.
TEST_F(DaemonTest, LeavesAloneWhatIsInPlaceOfItsPidFile) {
  start();
  ASSERT_TRUE(dir_.unlink("app1.pid"));
  tests::write_file(run_path_ + "/app1.pid", "another's");
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_EQ(tests::read_file(run_path_ + "/app1.pid"), "another's");
}

// The flag's place is taken by a folder: it can't be written, and the control socket tells it
// still.
TEST_F(DaemonTest, TellsThatNoProbeComesAlsoWhenTheFlagCanNotBeWritten) {
  start();
  // A folder under the temporary name and one under its own, so that no way to make it works.
  std::filesystem::create_directory(run_path_ + "/." + kFlag + ".new");
  std::filesystem::create_directory(run_path_ + "/" + kFlag);
  EXPECT_TRUE(wait_until([this] { return status().no_probe.has_value(); }));
  EXPECT_EQ(status().no_probe, "never probed");
  EXPECT_TRUE(daemon_->running());
  // Tried again until it works.
  std::filesystem::remove(run_path_ + "/." + kFlag + ".new");
  std::filesystem::remove(run_path_ + "/" + kFlag);
  EXPECT_TRUE(flag_comes());
}

TEST_F(DaemonTest, WaitsForTheFirstProbe) {
  config_.hc_timeout = 1h;
  start([this](DaemonSetup& setup) {
    setup.wait_first_probe = true;
    setup.ready = [this] { tests::write_file(temp_ / "ready", ""); };
  });
  EXPECT_EQ(status().phase, Phase::starting);
  EXPECT_FALSE(std::filesystem::exists(temp_ / "ready"));
  probe_once();
  EXPECT_TRUE(wait_until([this] { return status().phase == Phase::serving; }));
  EXPECT_TRUE(std::filesystem::exists(temp_ / "ready"));
}

TEST_F(DaemonTest, UndoesEverythingWhenNoFirstProbeComes) {
  const auto before = Clock::now();
  EXPECT_EQ(start_and_wait([](DaemonSetup& setup) { setup.wait_first_probe = true; }), 1);
  EXPECT_GE(Clock::now() - before, config_.hc_timeout);
  EXPECT_THAT(problem(), testing::AllOf(HasSubstr("port " + port_.text()), HasSubstr("0.2 s"),
                                        HasSubstr("zero connections")));
  EXPECT_THAT(files(), testing::IsEmpty());
  EXPECT_FALSE(accepts(port_.number()));
}

TEST_F(DaemonTest, ProbesOfOthersAreNoFirstProbe) {
  config_.allow.allow("203.0.113.0/24");
  config_.hc_timeout = 2s;
  daemon_.emplace(
      [this] { return run([](DaemonSetup& setup) { setup.wait_first_probe = true; }); });
  ASSERT_TRUE(wait_until([this] { return accepts(port_.number()); }));
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_THAT(problem(), HasSubstr("1 from others"));
}

TEST_F(DaemonTest, APortInUseUndoesEverythingAndTouchesNoOther) {
  start();
  const tests::TempDir other;
  const auto other_dir = tests::open_dir(other.path());
  const std::string complaint = error_of([&] {
    run_daemon({.run_dir = other_dir, .tag = Tag("lb2"), .id = Id("app2"), .config = config_});
  });
  EXPECT_THAT(complaint, testing::AllOf(HasSubstr("port " + port_.text()), HasSubstr("in use")));
  for (const char* name : {"app2.pid", "app2.sock", "app2-hc-ng"}) {
    EXPECT_FALSE(other_dir.exists(name)) << name;
  }
  EXPECT_TRUE(answers());
}

TEST_F(DaemonTest, ASecondOneForTheIdIsRefusedAndHarmsNothing) {
  config_.hc_timeout = 1h;
  start();
  const std::string pid_file = tests::read_file(run_path_ + "/app1.pid");
  Child second([this] { return run([](DaemonSetup&) {}); });
  EXPECT_EQ(second.wait(), 2);
  EXPECT_THAT(problem(), HasSubstr("\"app1\" is already running"));
  EXPECT_EQ(tests::read_file(run_path_ + "/app1.pid"), pid_file);
  EXPECT_TRUE(answers());
  probe_once();
}

TEST_F(DaemonTest, MayBeToldNotToStart) {
  EXPECT_EQ(start_and_wait([](DaemonSetup& setup) {
              setup.before_start = [] { throw common::Error("taken out meanwhile"); };
            }),
            1);
  EXPECT_EQ(problem(), "taken out meanwhile");
  EXPECT_THAT(files(), testing::IsEmpty());
}

TEST_F(DaemonTest, UndoesEverythingWhenItsReadinessFails) {
  EXPECT_EQ(start_and_wait([](DaemonSetup& setup) {
              setup.ready = [] { throw common::Error("the state can't be written"); };
            }),
            1);
  EXPECT_EQ(problem(), "the state can't be written");
  EXPECT_THAT(files(), testing::IsEmpty());
}

TEST_F(DaemonTest, ATermBeforeTheFirstProbeIsAFailedStart) {
  config_.hc_timeout = 1h;
  start([](DaemonSetup& setup) { setup.wait_first_probe = true; });
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_THAT(problem(), HasSubstr("before the first probe"));
  EXPECT_THAT(files(), testing::IsEmpty());
}

// restore died before it said that the start counts.
TEST_F(DaemonTest, UndoesEverythingWhenItsStarterIsGone) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  common::Fd in(ends[0]);
  common::Fd out(ends[1]);
  start([&](DaemonSetup& setup) {
    out.close();
    setup.starter = std::move(in);
  });
  out.close();
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_THAT(problem(), HasSubstr("restore ended"));
  EXPECT_THAT(files(), testing::IsEmpty());
}

TEST_F(DaemonTest, LivesOnOnceItsStarterSaidThatItCounts) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  common::Fd in(ends[0]);
  common::Fd out(ends[1]);
  start([&](DaemonSetup& setup) {
    out.close();
    setup.starter = std::move(in);
  });
  ASSERT_EQ(::write(out.get(), "C", 1), 1);
  out.close();
  EXPECT_TRUE(answers());
  ASSERT_TRUE(flag_comes());  // an HC_TIMEOUT later it is still there
  EXPECT_TRUE(daemon_->running());
}

TEST_F(DaemonTest, DrainsWhenAskedAndEnds) {
  config_.protocol = Protocol::haproxy_agent;
  config_.message = "";
  start();
  EXPECT_EQ(probe(port_.number()).bytes, "up ready\n");
  const auto before = Clock::now();
  EXPECT_EQ(ask_drain(dir_, kId, 1s, 20s).phase, Phase::draining);
  EXPECT_EQ(probe(port_.number()).bytes, "drain\n");
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_GE(Clock::now() - before, 1s);
  EXPECT_THAT(files(), testing::IsEmpty());
}

// Probes stay away because they were sent away: no flag, so no recovery in the midst of a drain.
TEST_F(DaemonTest, RaisesNoFlagWhileDraining) {
  config_.hc_timeout = 1s;
  start();
  probe_once();
  const auto drained = ask_drain(dir_, kId, 2s, 20s);
  ASSERT_FALSE(drained.no_probe);  // else this machine stood still for 1 s before the drain
  bool seen = false;
  wait_until([&] {
    seen = seen || flag_up();
    return !daemon_->running();
  });
  EXPECT_FALSE(seen);
  EXPECT_EQ(daemon_->wait(), 0);
}

// What `genapp drill` does.
TEST_F(DaemonTest, AnswersIgnoredProbesAndCountsNone) {
  config_.hc_timeout = 300ms;
  start();
  probe_once();
  ASSERT_EQ(status().probes, 1u);
  ask_ignore(dir_, kId, kMostIgnore, 20s);
  EXPECT_TRUE(wait_until([this] {
    probe_once();
    return flag_up();
  }));
  const Status seen = status();
  EXPECT_EQ(seen.probes, 1u);
  EXPECT_GT(seen.answered, 1u);
  ASSERT_TRUE(seen.no_probe);
  EXPECT_THAT(*seen.no_probe, HasSubstr("stopped after 1 probe at"));
  EXPECT_THAT(*seen.no_probe, HasSubstr("(a drill lets none count)"));
  ask_ignore(dir_, kId, 0s, 20s);
  probe_once();
  EXPECT_TRUE(flag_goes());
  EXPECT_FALSE(status().foreground);
}

// Whoever asked may have died.
TEST_F(DaemonTest, CountsProbesAgainWhenNobodyAsksToIgnoreThemAnyMore) {
  config_.hc_timeout = 1h;
  start();
  ask_ignore(dir_, kId, 200ms, 20s);
  EXPECT_TRUE(wait_until([this] {
    probe_once();
    return status().probes > 0;
  }));
}

// Or a start would fail because of a drill.
TEST_F(DaemonTest, IgnoresNoFirstProbe) {
  config_.hc_timeout = 1h;
  start([](DaemonSetup& setup) { setup.wait_first_probe = true; });
  ask_ignore(dir_, kId, kMostIgnore, 20s);
  probe_once();
  EXPECT_TRUE(wait_until([this] { return status().phase == Phase::serving; }));
  EXPECT_EQ(status().probes, 1u);
}

TEST_F(DaemonTest, EndsWhenItsLeaseHasRunOut) {
  config_.hc_timeout = 1h;
  config_.lease = 300ms;
  EXPECT_EQ(start_and_wait(), 1);
  EXPECT_THAT(problem(),
              HasSubstr("the lease has run out: no quickCheck and no monitor came for 0.3 s"));
  EXPECT_FALSE(accepts(port_.number()));
  EXPECT_THAT(files(), testing::IsEmpty());
}

// Neither by probes nor by those who only want to know.
TEST_F(DaemonTest, KeepsItsLeaseByChecksAlone) {
  config_.hc_timeout = 1h;
  start();
  ask_check(dir_, kId, 20s, 20s);
  probe_once();
  EXPECT_LE(*status().lease_ms, 20'000);
  ask_check(dir_, kId, 1h, 20s);
  EXPECT_GT(*status().lease_ms, 20'000);
  ask_check(dir_, kId, 200ms, 20s);
  wait_until([this] {
    if (daemon_->running() && answers()) accepts(port_.number());
    return !daemon_->running();
  });
  EXPECT_THAT(problem(), HasSubstr("for 0.2 s"));
}

TEST_F(DaemonTest, HasNoLeaseUnlessItIsGivenOne) {
  config_.hc_timeout = 1h;
  start();
  EXPECT_FALSE(status().lease_ms);
  ask_check(dir_, kId, 1h, 20s);
  EXPECT_TRUE(status().lease_ms);
  ask_check(dir_, kId, 0s, 20s);
  EXPECT_FALSE(status().lease_ms);
}

bool is_over(common::BootClock::time_point when) {
  return wait_until([when] { return common::BootClock::now() >= when; });
}

// Stopped with all its node, and thawed when another may serve: whatever comes first, a probe that
// waited or the manager's next check, is turned away.
TEST_F(DaemonTest, AnswersNothingAtAThawAfterItsLeaseRanOut) {
  config_.hc_timeout = 1h;
  start();
  ask_check(dir_, kId, 1500ms, 20s);
  const auto lease_end = common::BootClock::now() + 1500ms;
  daemon_->signal(SIGSTOP);
  std::vector<tests::Client> waiting;
  for (int i = 0; i < 5; ++i) waiting.emplace_back("127.0.0.1", port_.number());
  tests::Child check(
      [this] { return error_of([this] { ask_check(dir_, kId, 1h, 20s); }).empty() ? 1 : 0; });
  ASSERT_TRUE(is_over(lease_end));
  daemon_->signal(SIGCONT);
  for (auto& client : waiting) EXPECT_EQ(client.receive().bytes, "");
  EXPECT_EQ(check.wait(), 0);
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_FALSE(accepts(port_.number()));
}

// The start's own waiting is bounded by HC_TIMEOUT.
TEST_F(DaemonTest, BeginsItsLeaseWhenItServes) {
  config_.hc_timeout = 1h;
  config_.lease = 200ms;
  start([](DaemonSetup& setup) { setup.wait_first_probe = true; });
  EXPECT_FALSE(status().lease_ms);
  // As a check beside a recover.
  ask_check(dir_, kId, 200ms, 20s);
  EXPECT_FALSE(status().lease_ms);
  ASSERT_TRUE(is_over(common::BootClock::now() + 200ms));
  EXPECT_EQ(status().phase, Phase::starting);
  probe_once();
  EXPECT_EQ(daemon_->wait(), 1);
  EXPECT_THAT(problem(), HasSubstr("the lease has run out"));
}

TEST_F(DaemonTest, TellsThatItRunsInTheForeground) {
  start([](DaemonSetup& setup) { setup.drain_on_term = true; });
  EXPECT_TRUE(status().foreground);
}

TEST_F(DaemonTest, DrainsOnTermWhereTold) {
  config_.hc_timeout = 1h;
  config_.drain = 600ms;
  start([](DaemonSetup& setup) { setup.drain_on_term = true; });
  const auto before = Clock::now();
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_GE(Clock::now() - before, 600ms);
}

// With the flag up there is nobody who could notice the drain.
TEST_F(DaemonTest, DoesNotDrainOnTermWithTheFlagUp) {
  config_.drain = 1h;
  start([](DaemonSetup& setup) { setup.drain_on_term = true; });
  ASSERT_TRUE(flag_comes());
  daemon_->signal(SIGTERM);
  EXPECT_TRUE(wait_until([this] { return !daemon_->running(); }));
}

TEST_F(DaemonTest, EndsAtOnceOnTermWhereAnotherDrains) {
  config_.hc_timeout = 1h;
  config_.drain = 1h;
  start();
  daemon_->signal(SIGTERM);
  EXPECT_TRUE(wait_until([this] { return !daemon_->running(); }));
}

// The pid file goes and the state is recorded under ID.lock: nobody sees one without the other.
class DaemonEndTest : public DaemonTest {
 protected:
  std::function<void(DaemonSetup&)> note_end() {
    return [this](DaemonSetup& setup) {
      setup.ended = [this](DaemonSetup::End end) {
        const common::Fd lock(::openat(dir_.fd(), "app1.lock", O_RDWR | O_CLOEXEC));
        const bool alone = lock && common::is_locked(lock, "app1.lock") && files().empty();
        const std::string how = end == DaemonSetup::End::in_order ? "in order" : "failed";
        tests::write_file(temp_ / "ended", how + (alone ? "" : ", but not with the lock alone"));
      };
    };
  }
  std::string noted_end() const { return tests::read_file(temp_ / "ended"); }
};

TEST_F(DaemonEndTest, IsToldWithTheLockHeldAndTheFilesGone) {
  start(note_end());
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_EQ(noted_end(), "in order");
}

TEST_F(DaemonEndTest, IsToldOfAFailedStartToo) {
  EXPECT_EQ(start_and_wait([this](DaemonSetup& setup) {
              note_end()(setup);
              setup.wait_first_probe = true;
            }),
            1);
  EXPECT_EQ(noted_end(), "failed");
}

TEST_F(DaemonEndTest, IsToldWhenThePortCanNotBeHad) {
  config_.listen = "203.0.113.1";  // not an address of this host's
  EXPECT_EQ(start_and_wait(note_end()), 1);
  EXPECT_EQ(noted_end(), "failed");
}

TEST_F(DaemonEndTest, IsNotToldWhenTheIdIsAnothersDaemons) {
  config_.hc_timeout = 1h;
  start();
  Child second([this] { return run(note_end()); });
  EXPECT_EQ(second.wait(), 2);
  EXPECT_EQ(noted_end(), "");
}

TEST_F(DaemonEndTest, AnErrorInItDoesNotMakeTheEndFail) {
  start([](DaemonSetup& setup) {
    setup.ended = [](DaemonSetup::End) { throw common::Error("the state can't be written"); };
  });
  daemon_->signal(SIGTERM);
  EXPECT_EQ(daemon_->wait(), 0);
  EXPECT_THAT(files(), testing::IsEmpty());
}

TEST_F(DaemonTest, IsDeadAtOnceWhenKilledAndTheNextOneStarts) {
  start();
  daemon_->signal(SIGKILL);
  EXPECT_EQ(daemon_->wait(), -1);
  EXPECT_FALSE(common::is_alive(dir_, kId));
  EXPECT_TRUE(has_trace(dir_, kId));
  start();
  EXPECT_EQ(status().pid, daemon_->pid());
}

TEST_F(DaemonTest, IsStoppedByStopDaemonWithAllItsFiles) {
  start();
  EXPECT_TRUE(stop_daemon(dir_, kId, 0s));
  EXPECT_FALSE(common::is_alive(dir_, kId));
  EXPECT_TRUE(clean_up_if_dead(dir_, kId));
  EXPECT_THAT(dir_.names(), testing::IsEmpty());
  EXPECT_FALSE(stop_daemon(dir_, kId, 0s));
}

// A frozen process can't follow TERM, nor answer a drain: KILL ends it all the same.
TEST_F(DaemonTest, AStoppedOneIsKilled) {
  start();
  daemon_->signal(SIGSTOP);
  EXPECT_TRUE(stop_daemon(dir_, kId, 100ms));
  EXPECT_EQ(daemon_->wait(), -1);
  bool noted = false;
  EXPECT_TRUE(clean_up_if_dead(dir_, kId, [&] { noted = true; }));
  EXPECT_TRUE(noted);
  EXPECT_THAT(dir_.names(), testing::IsEmpty());
}

TEST_F(DaemonTest, ALivingOneIsNotCleanedUp) {
  start();
  EXPECT_FALSE(clean_up_if_dead(dir_, kId, [] { FAIL() << "called"; }));
  EXPECT_TRUE(answers());
}

// A probe that came while the process stood still counts before the flag is thought of: "flag
// cleared" in the log would mean that it was up.
TEST_F(DaemonTest, ProbesThatWaitedDuringAStopCountBeforeTheClock) {
  config_.hc_timeout = 1s;
  start([this](DaemonSetup&) {
    common::log::to_file("lbhcd", temp_ / "log", common::log::Level::info);
  });
  probe_once();
  daemon_->signal(SIGSTOP);
  tests::Client waiting("127.0.0.1", port_.number());
  EXPECT_EQ(waiting.receive(1300ms).bytes, "");  // beyond HC_TIMEOUT
  ASSERT_FALSE(flag_up());
  daemon_->signal(SIGCONT);
  EXPECT_EQ(waiting.receive().bytes, "OK");
  EXPECT_EQ(status().probes, 2u);
  EXPECT_THAT(tests::read_file(temp_ / "log"), testing::Not(HasSubstr("flag cleared")));
}

}  // namespace
}  // namespace genapp::lbhc
