#include "monitor/monitor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include "common/control_client.hpp"
#include "common/error.hpp"
#include "monitor/report.hpp"
#include "monitor/run_files.hpp"
#include "monitor/status.hpp"
#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::monitor {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using boost::system::error_code;
using common::Clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

CheckResult good() {
  CheckResult result;
  result.seen = "HTTP/1.1 200 OK";
  result.address = "127.0.0.1:80";
  result.took = 1ms;
  return result;
}

CheckResult bad(const std::string& reason = "refused") {
  CheckResult result;
  result.fault = Fault{Event::connect_error, ECONNREFUSED, reason, false};
  result.took = 1ms;
  return result;
}

CheckResult late(Clock::duration took) {
  CheckResult result = bad("no answer");
  result.fault->timed_out = true;
  result.took = took;
  return result;
}

// A check whose result is known, `after` its start.
class PlayedCheck : public Check {
 public:
  PlayedCheck(asio::io_context& io, Clock::duration after, CheckResult result, CheckDone done)
      : timer_(io) {
    timer_.expires_after(after);
    timer_.async_wait([result = std::move(result), done = std::move(done),
                       wanted = std::weak_ptr<bool>(wanted_)](error_code cancelled) {
      // Dropped in between, though the timer had fired: then nothing may be told.
      if (!cancelled && wanted.lock()) done(result);
    });
  }

 private:
  std::shared_ptr<bool> wanted_ = std::make_shared<bool>(true);
  asio::steady_timer timer_;
};

// A monitor whose checks are played one after the other, the last one again and again.
class MonitorRun : public testing::Test {
 protected:
  MonitorRun() {
    ::setenv("GENAPP_RUN_DIR", (folder_ / "run").c_str(), 1);
    settings.interval = 10ms;
    settings.wait = 50ms;
    settings.retries = 2;
    settings.json = true;
  }
  ~MonitorRun() override { ::unsetenv("GENAPP_RUN_DIR"); }

  struct Played {
    CheckResult result;
    Clock::duration after{};
  };

  // Runs to the monitor's end, or to `most` checks, and then TERM. Its events are in `events`.
  End run(std::vector<Played> checks, std::size_t most = 1000) {
    asio::io_context io{1};
    auto identity = Identity::take(MonitorId("web"), "httpmon");
    testing::internal::CaptureStdout();
    Reporter reporter(Protocol::http, "web", true);
    starts.clear();
    const auto start = [&](CheckDone done) {
      const Played& played = checks[std::min(starts.size(), checks.size() - 1)];
      starts.push_back(Clock::now());
      if (before_check) before_check(starts.size());
      if (starts.size() == most) ::raise(SIGTERM);
      return std::make_unique<PlayedCheck>(io, played.after, played.result, std::move(done));
    };
    if (at_start) asio::post(io, at_start);
    began = Clock::now();
    const End end = run_monitor({io, settings, *identity, reporter, start});
    second_term_is_harmless = second_term();
    identity->release();
    events = testing::internal::GetCapturedStdout();
    return end;
  }

  std::string ask(const std::string& request) const {
    const auto found = find_monitor(MonitorId("web"));
    return found ? common::ask_control(found->directory, "sock", request + "\n", 5s) : "";
  }
  std::string run_path(const std::string& name) const { return folder_ / ("run/" + name); }
  std::string path(const std::string& name) const { return folder_ / name; }

  std::size_t count(const std::string& text) const {
    std::size_t found = 0;
    for (auto at = events.find(text); at != std::string::npos; at = events.find(text, at + 1)) {
      ++found;
    }
    return found;
  }

  // A line of its metrics.
  static std::string figure(const std::string& name, int value) {
    return "genapp_monitor_" + name +
           "{id=\"web\",command=\"httpmon\",server=\"http://localhost:80/\"} " +
           std::to_string(value) + "\n";
  }

  Settings settings;
  std::string events;
  Clock::time_point began;
  std::vector<Clock::time_point> starts;
  std::string wrong_answer;
  bool second_term_is_harmless = false;
  std::function<void()> at_start;                 // from within the event loop
  std::function<void(std::size_t)> before_check;  // told which; from within the event loop

 private:
  // Whether TERM may come once more when the monitor has ended; takes it away.
  static bool second_term() {
    sigset_t ending;
    ::sigemptyset(&ending);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&ending, number);
    sigset_t blocked;
    ::pthread_sigmask(SIG_BLOCK, &ending, &blocked);
    ::raise(SIGTERM);
    const timespec none{};
    ::sigtimedwait(&ending, nullptr, &none);
    ::pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
    return ::sigismember(&blocked, SIGTERM) && ::sigismember(&blocked, SIGINT) &&
           ::sigismember(&blocked, SIGHUP);
  }

  tests::TempDir folder_;
};

TEST_F(MonitorRun, EndsAfterTheRetriesAndTellsWhy) {
  EXPECT_EQ(run({{good()}, {bad()}}), End::server_failed);
  EXPECT_EQ(starts.size(), 4u) << "one good, and 1 + 2 bad";
  EXPECT_EQ(count("\"event\":1,"), 1u);
  EXPECT_EQ(count("\"event\":2,"), 1u);
  EXPECT_EQ(count("\"event\":72,"), 3u);
  EXPECT_EQ(count("\"event\":6,"), 1u);
  EXPECT_EQ(count("\"event\":3,"), 0u);
  EXPECT_THAT(events, HasSubstr("refused; failure 3 of 3"));
  EXPECT_GE(starts[3] - began, 3 * settings.interval) << "on the grid, never before it";
}

TEST_F(MonitorRun, ASuccessInBetweenIsToldAndWipesTheFailuresAway) {
  EXPECT_EQ(run({{bad()}, {bad()}, {good()}, {bad()}}), End::server_failed);
  EXPECT_EQ(starts.size(), 6u);
  EXPECT_EQ(count("\"event\":104,"), 1u);
}

TEST_F(MonitorRun, TermEndsItInOrder) {
  EXPECT_EQ(run({{good()}}, 3), End::stopped);
  EXPECT_EQ(count("\"event\":3,"), 1u);
  EXPECT_EQ(count("\"event\":6,"), 0u);
  EXPECT_FALSE(fs::exists(run_path("monitors/web")));
  EXPECT_TRUE(second_term_is_harmless);
}

TEST_F(MonitorRun, WithoutSocketsItEndsAsBlindAndDoesNotBlameTheServer) {
  CheckResult none;
  none.fault = Fault{Event::socket_error, EMFILE, "a socket: EMFILE", false};
  EXPECT_EQ(run({{good()}, {none}}), End::blind);
  EXPECT_EQ(starts.size(), 4u) << "one good, and 1 + 2 without";
  EXPECT_EQ(count("\"event\":71,"), 3u);
  EXPECT_EQ(count("\"event\":42,"), 1u);
  EXPECT_EQ(count("\"event\":6,"), 0u);
}

TEST_F(MonitorRun, ATimeOutIsNotRetriedWhereItIsToldSo) {
  settings.retry_on_timeout = false;
  EXPECT_EQ(run({{late(50ms)}}), End::server_failed);
  EXPECT_EQ(starts.size(), 1u);
  EXPECT_THAT(events, HasSubstr("not retried"));
}

TEST_F(MonitorRun, ChecksThatLastLongerThanTheIntervalOverlap) {
  settings.wait = 10s;
  EXPECT_EQ(run({{late(100ms), 100ms}}), End::server_failed);
  EXPECT_GT(starts.size(), 3u) << "others had started before the third one's verdict";
}

TEST_F(MonitorRun, AtMost64ChecksAreUnderWay) {
  settings.interval = 1ms;
  settings.wait = 10s;
  EXPECT_EQ(run({{good(), 300ms}}, 65), End::stopped);
  EXPECT_GE(starts[64] - starts[0], 300ms) << "not before the first has ended";
}

TEST_F(MonitorRun, WhatRanWhileItDidNotIsDroppedOnceAndDoneAgain) {
  settings.retries = 1;
  EXPECT_EQ(run({{late(60s)}, {late(60s)}, {good()}}, 3), End::stopped);
  EXPECT_EQ(count("\"event\":105,"), 1u);
  EXPECT_EQ(count("failure 1 of 2"), 1u) << "a second time in a row it counts";
}

TEST_F(MonitorRun, TellsOfAnExpiringCertificateOnceADay) {
  CheckResult expiring = good();
  expiring.certificate_days = 3;
  CheckResult next_day = expiring;
  next_day.certificate_days = 2;
  CheckResult renewed = expiring;
  renewed.certificate_days = 90;
  run({{expiring}, {expiring}, {next_day}, {renewed}}, 5);
  EXPECT_EQ(count("\"event\":102,"), 2u);
  EXPECT_THAT(events, AllOf(HasSubstr("expires in 3 days"), HasSubstr("expires in 2 days")));
}

TEST_F(MonitorRun, EndsWhenNobodyCouldFindItAnyMore) {
  settings.initial_delay = 10ms;
  at_start = [&] { fs::remove_all(run_path("monitors/web")); };
  EXPECT_EQ(run({{good()}}), End::lost);
  EXPECT_TRUE(starts.empty());
  EXPECT_EQ(count("\"event\":42,"), 1u);
  EXPECT_THAT(events, HasSubstr("was deleted or replaced"));
}

TEST_F(MonitorRun, AnswersOnItsControlSocketAndPausesAndResumes) {
  std::future<void> asked;
  Status before, paused, still, resumed;
  std::size_t checks_at_pause = 0;
  std::size_t checks_later = 0;
  before_check = [&](std::size_t number) {
    if (number != 3) return;
    asked = std::async(std::launch::async, [&] {
      before = parse_status(ask("status")).value_or(Status{});
      paused = parse_status(ask("pause")).value_or(Status{});
      checks_at_pause = paused.checks;
      std::this_thread::sleep_for(5 * settings.interval);
      still = parse_status(ask("status")).value_or(Status{});
      checks_later = still.checks;
      wrong_answer = ask("nonsense");
      resumed = parse_status(ask("resume")).value_or(Status{});
    });
  };
  settings.retries = 50;
  EXPECT_EQ(run({{bad()}, {good()}, {bad()}}), End::server_failed);
  asked.get();
  EXPECT_EQ(before.id, "web");
  EXPECT_EQ(before.pid, ::getpid());
  EXPECT_THAT(before.state, testing::AnyOf("monitoring", "checking"));
  ASSERT_TRUE(before.last);
  EXPECT_EQ(paused.state, "paused");
  EXPECT_EQ(paused.pending_failures, 0u) << "a pause forgets them";
  EXPECT_EQ(checks_later, checks_at_pause) << "no check is made meanwhile";
  EXPECT_NE(resumed.state, "paused");
  EXPECT_THAT(wrong_answer, HasSubstr("error: the requests are"));
  EXPECT_EQ(count("\"event\":7,"), 1u);
  EXPECT_EQ(count("\"event\":8,"), 1u);
}

// A check that tells its result though it was dropped has broken its promise, and must break no
// more.
TEST_F(MonitorRun, AResultOfADroppedCheckIsPassedOver) {
  asio::io_context io{1};
  auto identity = Identity::take(MonitorId("web"), "httpmon");
  testing::internal::CaptureStdout();
  Reporter reporter(Protocol::http, "web", true);
  settings.interval = 10s;
  std::vector<CheckDone> kept;
  std::future<std::string> asked;
  const auto start = [&](CheckDone done) {
    kept.push_back(std::move(done));
    if (kept.size() == 1) {
      asked = std::async(std::launch::async, [&] {
        ask("pause");
        asio::post(io, [&] { kept.front()(bad()); });
        std::string paused = ask("status");
        asio::post(io, [] { ::raise(SIGTERM); });
        return paused;
      });
    }
    return std::make_unique<PlayedCheck>(io, 1h, good(), [](const CheckResult&) {});
  };
  EXPECT_EQ(run_monitor({io, settings, *identity, reporter, start}), End::stopped);
  identity->release();
  testing::internal::GetCapturedStdout();
  EXPECT_EQ(parse_status(asked.get()).value_or(Status{}).checks, 0u);
}

TEST_F(MonitorRun, ItsMetricsFileIsThereFromTheStartAndKept) {
  settings.metrics = path("web.prom");
  std::string at_first;
  std::string at_third;
  before_check = [&](std::size_t number) {
    if (number == 1) at_first = tests::read_file(settings.metrics);
    if (number == 3) at_third = tests::read_file(settings.metrics);
  };
  EXPECT_EQ(run({{bad()}}), End::server_failed);
  EXPECT_THAT(at_first,
              AllOf(HasSubstr("genapp_monitor_checks_total"), Not(HasSubstr("genapp_monitor_up"))));
  EXPECT_THAT(at_third, HasSubstr(figure("failures_total", 1))) << "at most one a second";
}

// The file stays when the monitor is gone: it must not say for ever that the server is well.
TEST_F(MonitorRun, ItsMetricsFileTellsTheEnd) {
  settings.metrics = path("web.prom");
  EXPECT_EQ(run({{good()}, {bad()}}), End::server_failed);
  EXPECT_THAT(tests::read_file(settings.metrics),
              AllOf(HasSubstr(figure("up", 0)), HasSubstr(figure("failures_total", 3)),
                    HasSubstr(figure("pending_failures", 3))))
      << "all that made it failed";
}

TEST_F(MonitorRun, ItsMetricsFileTellsAPauseAndItsEnd) {
  settings.metrics = path("web.prom");
  std::future<void> asked;
  std::string paused, resumed;
  before_check = [&](std::size_t number) {
    if (number != 2) return;
    asked = std::async(std::launch::async, [&] {
      ask("pause");
      paused = tests::read_file(settings.metrics);
      ask("resume");
      resumed = tests::read_file(settings.metrics);
      ::kill(::getpid(), SIGTERM);
    });
  };
  EXPECT_EQ(run({{good()}}), End::stopped);
  asked.get();
  EXPECT_THAT(paused, HasSubstr(figure("paused", 1)));
  EXPECT_THAT(resumed, HasSubstr(figure("paused", 0)));
}

TEST_F(MonitorRun, AMetricsPathThatCanNotBeWrittenIsAnErrorAtTheStart) {
  settings.metrics = path("none/web.prom");
  EXPECT_THROW(run({{good()}}, 1), common::Error);
  testing::internal::GetCapturedStdout();
}

}  // namespace
}  // namespace genapp::monitor
