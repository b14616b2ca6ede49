#include "agent/run/polled_monitor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "agent/run/startup_monitors.hpp"
#include "common/process.hpp"
#include "monitor/resolver.hpp"
#include "tests/support/node.hpp"
#include "tests/unit/agent/run/testing.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class PolledTest : public testing::Test, protected Bench {
 protected:
  MonitorConfig custom(const std::string& text, common::Clock::duration interval = 50ms) {
    MonitorConfig monitor;
    monitor.name = "check";
    monitor.monitor_interval = interval;
    monitor.command = {script("check", text)};
    return monitor;
  }
  std::unique_ptr<PolledMonitor> watch(const MonitorConfig& monitor) {
    return std::make_unique<PolledMonitor>(
        tools, resource, monitor, [this](const Verdict& verdict) { seen.push_back(verdict); },
        [this](const std::string& text) { complaints.push_back(text); });
  }
  Verdict next() {
    EXPECT_TRUE(run_until(io, [this] { return !seen.empty(); }));
    if (seen.empty()) return {false, "nothing was seen"};
    const Verdict first = seen.front();
    seen.erase(seen.begin());
    return first;
  }
  std::size_t lines(const std::string& name) const {
    const std::string text = read(name);
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  monitor::Resolver resolver{io};
  ProbeTools tools{io, launcher, resolver, around};
  const ResourceConfig resource = resource_of("db");
  std::vector<Verdict> seen{};
  std::vector<std::string> complaints{};
};

TEST_F(PolledTest, TheFirstVerdictAndEachChangeAreTold) {
  const auto monitor =
      watch(custom("echo x >>$D/runs; test ! -e $D/bad || { echo is bad; exit 3; }"));
  EXPECT_TRUE(seen.empty());
  EXPECT_TRUE(next().healthy);
  ASSERT_TRUE(run_until(io, [&] { return lines("runs") >= 4; }));
  EXPECT_TRUE(seen.empty());
  tests::write_file(folder / "bad", "x");
  const Verdict verdict = next();
  EXPECT_FALSE(verdict.healthy);
  EXPECT_EQ(verdict.reason, "is bad");
  std::filesystem::remove(folder / "bad");
  EXPECT_TRUE(next().healthy);
}

TEST_F(PolledTest, ACommandIsToldWhatItIsFor) {
  const auto monitor = watch(custom("echo $GENAPP_TAG $GENAPP_ID $GENAPP_MONITOR $PATH >$D/env"));
  EXPECT_TRUE(next().healthy);
  EXPECT_EQ(read("env"), "db db-id check /usr/bin:/bin\n");
}

TEST_F(PolledTest, RetriesDoNotCountYet) {
  MonitorConfig config = custom("echo x >>$D/runs; exit 1");
  config.retries = 3;
  const auto monitor = watch(config);
  EXPECT_FALSE(next().healthy);
  EXPECT_GE(lines("runs"), 4u);
}

TEST_F(PolledTest, AHungOneIsAFailureAndKilledWithItsChildren) {
  const auto monitor =
      watch(custom("sleep 1000 & echo $! >$D/child; echo $$ >$D/pid; wait", 400ms));
  const Verdict verdict = next();
  EXPECT_FALSE(verdict.healthy);
  EXPECT_THAT(verdict.reason, HasSubstr("did not end within 0.4 s"));
}

TEST_F(PolledTest, ItsChildrenGetTheHungSignalToo) {
  MonitorConfig config =
      custom("(trap 'echo x >$D/told; exit' TERM; while :; do sleep 0.01; done) & wait", 400ms);
  config.hung_signal = SIGTERM;
  const auto monitor = watch(config);
  EXPECT_FALSE(next().healthy);
  // At the first check that had set its trap in time.
  EXPECT_TRUE(run_until(io, [&] { return has("told"); }));
}

TEST_F(PolledTest, NeverTwoAtOnce) {
  // Its time is over long before it ends.
  MonitorConfig config = custom(
      "trap '' TERM; mkdir $D/lock || echo x >>$D/twice; sleep 0.3; rmdir $D/lock; echo x "
      ">>$D/runs",
      100ms);
  config.hung_signal = SIGTERM;
  const auto monitor = watch(config);
  ASSERT_TRUE(run_until(io, [&] { return lines("runs") >= 3; }));
  EXPECT_FALSE(has("twice"));
}

TEST_F(PolledTest, OneThatCantBeStartedIsNoVerdictAndToldOnce) {
  MonitorConfig config = custom("");
  config.command = {folder / "none"};
  const auto monitor = watch(config);
  ASSERT_TRUE(run_until(io, [&] { return !complaints.empty(); }));
  run_for(io, 300ms);
  EXPECT_EQ(complaints.size(), 1u);
  EXPECT_TRUE(seen.empty());
}

TEST_F(PolledTest, DroppedItEndsItsCommand) {
  auto monitor = watch(custom("echo $$ >$D/pid; exec sleep 1000", 20s));
  ASSERT_TRUE(run_until(io, [&] { return has("pid"); }));
  monitor.reset();
  EXPECT_TRUE(run_until(io, [&] { return ::kill(pid_in("pid"), 0) != 0; }));
  EXPECT_TRUE(seen.empty());
}

TEST_F(PolledTest, QuickCheckIsTheResourcesOwn) {
  script("quickCheck", "echo $* >$D/args");
  MonitorConfig config;
  config.kind = MonitorKind::quick_check;
  config.monitor_interval = 10s;
  const auto monitor = watch(config);
  EXPECT_TRUE(next().healthy);
  EXPECT_EQ(read("args"), "-t db -i db-id\n");
}

TEST_F(PolledTest, HttpAndSmtpAreAskedInThisProcess) {
  for (const MonitorKind kind : {MonitorKind::http, MonitorKind::smtp}) {
    MonitorConfig config;
    config.kind = kind;
    config.http.server = {"127.0.0.1", 1};
    config.smtp.server = {"127.0.0.1", 1};
    config.check_timeout = 5s;
    config.monitor_interval = 50ms;
    const auto monitor = watch(config);
    EXPECT_THAT(next().reason, HasSubstr("127.0.0.1:1: ECONNREFUSED"));
    run_for(io, 150ms);
    EXPECT_TRUE(seen.empty());
  }
}

TEST_F(PolledTest, ACertificateThatCantBeReadFails) {
  MonitorConfig config;
  config.kind = MonitorKind::http;
  config.http.tls.emplace().ca_file = folder / "none.pem";
  const auto monitor = watch(config);
  EXPECT_THAT(next().reason, HasSubstr("none.pem"));
}

class StartupTest : public PolledTest {
 protected:
  ProcessMonitors processes{io, [](const std::string&) {}};

  struct Answer {
    bool told = false;
    std::optional<std::string> problem{};
  };
  Answer ask(std::vector<MonitorConfig> monitors, StartupWhen when) {
    ResourceConfig all = resource;
    all.monitors = std::move(monitors);
    Answer answer;
    const auto round = ask_startup_monitors(tools, processes, all, when,
                                            [&](const std::optional<std::string>& problem) {
                                              EXPECT_FALSE(answer.told);
                                              answer = {true, problem};
                                            });
    EXPECT_FALSE(answer.told);
    EXPECT_TRUE(run_until(io, [&] { return answer.told; }));
    run_for(io, 50ms);
    return answer;
  }
  MonitorConfig startup(const std::string& text, common::Clock::duration window) {
    MonitorConfig monitor = custom(text);
    monitor.mode = MonitorMode::startup;
    monitor.stabilization_interval = window;
    return monitor;
  }
};

TEST_F(StartupTest, BeforeAStartOneCheckDecides) {
  EXPECT_FALSE(ask({startup("exit 0", 20s)}, StartupWhen::before).problem);
  EXPECT_EQ(ask({startup("echo not yet; exit 1", 20s)}, StartupWhen::before).problem,
            "startup monitor check: not yet");
}

TEST_F(StartupTest, BeforeAStartNoAnswerIsNone) {
  MonitorConfig slow = startup("exec sleep 1000", 200ms);
  slow.monitor_interval = 20s;
  EXPECT_TRUE(ask({slow}, StartupWhen::before).problem);
}

TEST_F(StartupTest, AfterAStartItIsAskedUntilItIsUp) {
  const auto answer =
      ask({startup("echo x >>$D/runs; test $(wc -l <$D/runs) -ge 3", 20s)}, StartupWhen::after);
  EXPECT_FALSE(answer.problem);
  EXPECT_EQ(lines("runs"), 3u);
}

TEST_F(StartupTest, AfterAStartTheWindowEnds) {
  EXPECT_EQ(ask({startup("echo still down; exit 1", 400ms)}, StartupWhen::after).problem,
            "startup monitor check: still down");
}

TEST_F(StartupTest, AllMustBeUp) {
  MonitorConfig process = startup("", 300ms);
  process.name = "gone";
  process.kind = MonitorKind::process;
  process.process.names = {"genapp-none"};
  for (const StartupWhen when : {StartupWhen::before, StartupWhen::after}) {
    EXPECT_THAT(ask({startup("exit 0", 20s), process}, when).problem.value_or(""),
                HasSubstr("startup monitor gone: process \"genapp-none\": 0 of 1 run"));
  }
  process.process.names = {};
  EXPECT_FALSE(ask({startup("exit 0", 20s), process}, StartupWhen::after).problem);
}

TEST_F(StartupTest, WithoutAStartupMonitorItIsStarted) {
  EXPECT_TRUE(ask({}, StartupWhen::before).problem);
  EXPECT_FALSE(ask({}, StartupWhen::after).problem);
}

}  // namespace
}  // namespace genapp::agent
