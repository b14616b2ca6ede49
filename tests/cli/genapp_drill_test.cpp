// genapp drill: every fault, every way to cut it off, every refusal; and whatever happens, the
// resource is back in service afterwards.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <boost/json.hpp>
#include <ostream>

#include "common/fd.hpp"
#include "tests/support/lbhc_node.hpp"
#include "tests/support/steady_prober.hpp"
#include "tests/support/terminal.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr auto kLong = std::chrono::seconds(120);

std::vector<std::string> argv_of(std::vector<std::string> more) {
  std::vector<std::string> argv{"genapp", "drill", "-t", "lb"};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

// A node in service, with a load balancer that probes it.
class Served {
 public:
  explicit Served(const std::string& keys)
      : node_(keys), balancer_(std::make_unique<SteadyProber>(node_.port())) {
    const Result result = node_.run("restore");
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }

  LbhcNode& lbhc() { return node_; }
  Node& node() { return node_.node(); }
  SteadyProber& balancer() { return *balancer_; }
  Result drill(std::vector<std::string> more) {
    more.push_back("--yes");
    Command command = node().command(argv_of(std::move(more)));
    command.limit = kLong;
    return run(command);
  }
  Process start_drill(const std::string& fault) {
    Command command = node().command(argv_of({"--yes", "--fault", fault}));
    command.limit = kLong;
    return Process(command);
  }
  json::value status() { return json::parse(node().status("app1")); }

  // Nobody drills any more, guardians included: they all have the lock.
  bool drill_is_over() {
    const std::string path = node().config_dir() + "/resources.d/lb.toml";
    const common::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
  }

  void expect_all_is_back() {
    ASSERT_TRUE(wait_until([this] { return drill_is_over(); }, kLong));
    EXPECT_EQ(node_.state(), "ISP");
    const Result check = node_.run("quickCheck");
    EXPECT_EQ(check.exit_code, 0) << check.err;
    EXPECT_EQ(probe(node_.port()).bytes, "OK");
    EXPECT_FALSE(node().has("app1-hc-ng"));
    // Probes count: not only those of before.
    const auto before = status().at("probes").to_number<int>();
    EXPECT_TRUE(wait_until([&] { return status().at("probes").to_number<int>() > before; }));
  }

 private:
  LbhcNode node_;
  std::unique_ptr<SteadyProber> balancer_;
};

class Faults : public testing::TestWithParam<std::string> {};

std::string name_of(const testing::TestParamInfo<std::string>& fault) {
  std::string name = fault.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(GenappDrill, Faults,
                         testing::Values("no-probe", "killed", "hung", "port-taken"), name_of);

TEST_P(Faults, IsSeenAndRecovered) {
  Served served("hc_timeout = 2");
  const pid_t before = served.node().daemon("app1");
  const Result result = served.drill({"--fault", GetParam()});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("drill of \"lb\" (id app1, port "));
  EXPECT_THAT(result.out, HasSubstr("fault made: the daemon (pid " + std::to_string(before)));
  EXPECT_THAT(result.out, HasSubstr("seen: quickCheck 1: "));
  EXPECT_THAT(result.out, HasSubstr("recovered: recover 0 and quickCheck 0"));
  EXPECT_THAT(result.out, HasSubstr("  passed; unanswered for "));
  EXPECT_EQ(result.out.find("refused, as expected: recover 1: port ") != std::string::npos,
            GetParam() == "port-taken");
  EXPECT_EQ(result.err, "");
  EXPECT_NE(served.node().daemon("app1"), before) << "recover starts it anew";
  EXPECT_FALSE(process_exists(before));
  served.expect_all_is_back();
}

// The way back needs a probe, and none comes until the drill was cut off: so that happens while
// the fault is there, or while recover waits.
class Cut : public testing::TestWithParam<std::tuple<std::string, int>> {};

INSTANTIATE_TEST_SUITE_P(GenappDrill, Cut,
                         testing::Combine(testing::Values("no-probe", "killed", "hung",
                                                          "port-taken"),
                                          testing::Values(SIGINT, SIGTERM, SIGHUP, SIGKILL)),
                         [](const auto& fault) {
                           return name_of({std::get<0>(fault.param), 0}) + "_" +
                                  std::to_string(std::get<1>(fault.param));
                         });

TEST_P(Cut, PutsEverythingBack) {
  const auto& [fault, signal] = GetParam();
  Served served("hc_timeout = 30");
  served.balancer().pause();
  Process drill = served.start_drill(fault);
  ASSERT_TRUE(wait_until([&] { return drill.out().find("fault made") != std::string::npos; }))
      << drill.err();
  drill.signal(signal);
  served.balancer().go_on();
  const Result result = drill.wait();
  if (signal == SIGKILL) {
    EXPECT_EQ(result.signal, SIGKILL);
  } else {
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_THAT(result.out, HasSubstr("FAILED: interrupted by "));
    EXPECT_THAT(result.out, HasSubstr("; everything is put back"));
  }
  served.expect_all_is_back();
}

// The same once recover runs and waits for its probe.
class CutInRecover : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(GenappDrill, CutInRecover, testing::Values(SIGINT, SIGTERM, SIGKILL));

TEST_P(CutInRecover, LetsRecoverEnd) {
  Served served("hc_timeout = 30");
  const pid_t before = served.node().daemon("app1");
  served.balancer().pause();
  Process drill = served.start_drill("killed");
  ASSERT_TRUE(wait_until([&] {
    const pid_t now = served.node().daemon("app1");
    return now != 0 && now != before;
  })) << drill.out();
  drill.signal(GetParam());
  if (GetParam() == SIGKILL) {
    EXPECT_EQ(drill.wait().signal, SIGKILL);
  } else {
    EXPECT_TRUE(wait_until([&] {
      return drill.out().find("interrupted: recover is let end first") != std::string::npos;
    })) << drill.out();
  }
  const pid_t started = served.node().daemon("app1");
  served.balancer().go_on();
  served.expect_all_is_back();
  EXPECT_EQ(served.node().daemon("app1"), started);
}

TEST(GenappDrill, PutsEverythingBackWhenItCanNotPrint) {
  Served served("hc_timeout = 30");
  const Result result = served.node().run(
      {"/bin/sh", "-c",
       "{ " + program("genapp") + " drill -t lb --fault hung --yes; echo $? >&2; } | head -n 2"});
  EXPECT_THAT(result.err, HasSubstr("Broken pipe"));
  EXPECT_TRUE(result.err.ends_with("1\n")) << result.err;
  served.expect_all_is_back();
}

TEST(GenappDrill, GoesOnAfterAHangUpUnderNohup) {
  Served served("hc_timeout = 30");
  served.balancer().pause();
  Command command = served.node().command(
      {"/bin/sh", "-c",
       "trap '' HUP; exec " + program("genapp") + " drill -t lb --yes --fault killed"});
  command.limit = kLong;
  Process drill(command);
  ASSERT_TRUE(wait_until([&] { return drill.out().find("fault made") != std::string::npos; }));
  drill.signal(SIGHUP);
  served.balancer().go_on();
  const Result result = drill.wait();
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  served.expect_all_is_back();
}

TEST(GenappDrill, RunsAllAndSumsUp) {
  Served served("hc_timeout = 2");
  const Result result = served.drill({"--all"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  const std::string summary =
      result.out.substr(std::min(result.out.find("\n\n"), result.out.size()));
  EXPECT_THAT(summary, HasSubstr("FAULT       RESULT   SEEN AFTER"));
  for (const std::string fault : {"no-probe", "killed", "hung", "port-taken"}) {
    EXPECT_THAT(summary, HasSubstr("\n" + fault + std::string(12 - fault.size(), ' ') + "passed"));
  }
  EXPECT_THAT(summary, HasSubstr("\ndisk-full   not run"));
  EXPECT_THAT(summary, HasSubstr("is not a tmpfs of its own"));
  served.expect_all_is_back();
}

TEST(GenappDrill, TellsAsJson) {
  Served served("hc_timeout = 20");
  const Result result = served.drill({"--fault", "port-taken", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("fault made"));
  const json::object report = json::parse(result.out).as_object();
  EXPECT_EQ(report.size(), 7u);
  EXPECT_EQ(report.at("version"), 1);
  EXPECT_EQ(report.at("tag"), "lb");
  EXPECT_EQ(report.at("id"), "app1");
  EXPECT_EQ(report.at("port"), served.lbhc().port());
  EXPECT_EQ(report.at("hc_timeout_ms"), 20'000);
  EXPECT_EQ(report.at("ok"), true);
  ASSERT_EQ(report.at("faults").as_array().size(), 1u);
  const json::object fault = report.at("faults").at(0).as_object();
  EXPECT_EQ(fault.size(), 11u);
  EXPECT_EQ(fault.at("fault"), "port-taken");
  EXPECT_EQ(fault.at("result"), "passed");
  const auto ms = [&](const char* key) { return fault.at(key).as_int64(); };
  EXPECT_LE(0, ms("seen_ms"));
  EXPECT_LE(ms("seen_ms"), ms("refused_ms"));
  EXPECT_LE(ms("refused_ms"), ms("unanswered_ms"));
  EXPECT_LE(ms("unanswered_ms"), ms("recovered_ms"));
  EXPECT_EQ(fault.at("probes"), nullptr);
  EXPECT_EQ(fault.at("not_run"), nullptr);
  EXPECT_EQ(fault.at("problem"), nullptr);
  EXPECT_EQ(fault.at("put_back"), true);
  std::vector<std::string> events;
  for (const json::value& event : fault.at("events").as_array()) {
    EXPECT_EQ(event.as_object().size(), 3u);
    EXPECT_GE(event.at("at_ms").as_int64(), 0);
    EXPECT_NE(event.at("text").as_string(), "");
    events.emplace_back(event.at("event").as_string());
  }
  EXPECT_THAT(events, testing::ElementsAre("made", "seen", "refused", "ended", "recovered"));
  served.expect_all_is_back();
}

// A node that no load balancer knows yet.
TEST(GenappDrill, PlaysTheLoadBalancer) {
  LbhcNode node("hc_timeout = 1\nwait_first_probe = false");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  ASSERT_TRUE(wait_until([&] { return node.node().has("app1-hc-ng"); }));
  const Result result = node.node().run(
      {"genapp", "drill", "-t", "lb", "--yes", "--probe", "--fault", "hung", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const json::value fault = json::parse(result.out).at("faults").at(0);
  EXPECT_EQ(fault.at("result"), "passed");
  const auto sent = fault.at("probes").at("sent").to_number<int>();
  const auto lost = fault.at("probes").at("lost").to_number<int>();
  EXPECT_GT(lost, 0) << "a daemon that is stopped answers nobody";
  EXPECT_GE(sent, lost);
  EXPECT_EQ(probe(node.port()).bytes, "OK");
}

TEST(GenappDrill, PlaysTheLoadBalancerOverHttpAndIpv6) {
  LbhcNode node("hc_timeout = 5\nwait_first_probe = false\nprotocol = \"http\"\nlisten = \"ipv6\"");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  const Result result = node.node().run(
      {"genapp", "drill", "-t", "lb", "--yes", "--probe", "--fault", "killed", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const json::value probes = json::parse(result.out).at("faults").at(0).at("probes");
  EXPECT_GT(probes.at("sent").to_number<int>(), probes.at("lost").to_number<int>())
      << "some were answered";
}

TEST(GenappDrill, SaysWhenNoProbeComes) {
  Served served("hc_timeout = 5");
  served.balancer().pause();
  const Result result = served.drill({"--fault", "killed"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("FAILED: not recovered: no probe on port "));
  EXPECT_THAT(result.out, HasSubstr("no probe came: is a load balancer configured?"));
  EXPECT_THAT(result.out, HasSubstr("; NOT PUT BACK"));
  EXPECT_THAT(result.err, HasSubstr("NOT PUT BACK: \"lb\" is down on this node"));
  EXPECT_THAT(result.err, HasSubstr("run recover -t lb -i app1"));
  // The cluster sees it: nothing looks well that is not.
  EXPECT_EQ(served.lbhc().state(), "ISP");
  EXPECT_EQ(served.lbhc().run("quickCheck").exit_code, 1);
}

TEST(GenappDrill, BringsBackWithoutAProbeWhatStartsWithoutOne) {
  Served served("hc_timeout = 5\nwait_first_probe = false");
  ASSERT_TRUE(wait_until([&] { return served.status().at("probes").to_number<int>() > 0; }));
  served.balancer().pause();
  const Result result = served.drill({"--fault", "killed"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("FAILED: not recovered"));
  EXPECT_THAT(result.out, HasSubstr("; everything is put back"));
  EXPECT_THAT(result.err, HasSubstr("\"lb\" is back in service"));
  EXPECT_EQ(served.lbhc().state(), "ISP");
  EXPECT_TRUE(accepts(served.lbhc().port()));
}

TEST(GenappDrill, LeavesAloneWhatWasTakenOutMeanwhile) {
  Served served("hc_timeout = 30");
  const pid_t before = served.node().daemon("app1");
  served.balancer().pause();
  Process drill = served.start_drill("killed");
  ASSERT_TRUE(wait_until([&] {
    const pid_t now = served.node().daemon("app1");
    return now != 0 && now != before;
  })) << drill.out();
  ASSERT_EQ(served.lbhc().run("remove").exit_code, 0);
  const Result result = drill.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("FAILED: "));
  EXPECT_THAT(result.err,
              HasSubstr("\"lb\" was taken out of service meanwhile (state OSU): left so"));
  EXPECT_TRUE(served.node().run_files().empty());
  EXPECT_FALSE(accepts(served.lbhc().port()));
}

// In ISU quickCheck is 0 whatever the daemon does.
TEST(GenappDrill, TakesNoAnswerThatLooksAway) {
  Served served("hc_timeout = 30");
  served.balancer().pause();
  Process drill = served.start_drill("killed");
  ASSERT_TRUE(wait_until([&] { return drill.out().find("seen:") != std::string::npos; }));
  ASSERT_EQ(served.node().run({"genapp", "set-state", "-t", "lb", "-S", "ISU"}).exit_code, 0);
  served.balancer().go_on();
  const Result result = drill.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("FAILED: somebody has changed the state to ISU meanwhile"));
  EXPECT_THAT(result.out, HasSubstr("; everything is put back"));
  EXPECT_EQ(served.lbhc().state(), "ISU");
  EXPECT_EQ(probe(served.lbhc().port()).bytes, "OK");
}

TEST(GenappDrill, KeepsTheTimeoutThatTheDaemonHad) {
  LbhcNode node("hc_timeout = 60");
  node.node().env["HC_TIMEOUT"] = "20";
  node.restore();
  node.node().env["HC_TIMEOUT"] = "10";
  const SteadyProber balancer(node.port());
  const Result result =
      node.node().run({"genapp", "drill", "-t", "lb", "--yes", "--fault", "killed"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_EQ(json::parse(node.node().status("app1")).at("hc_timeout_ms"), 20'000);
}

TEST(GenappDrill, DoesNotMakeWhatQuickCheckLooksAwayFrom) {
  Served served("hc_timeout = 20\non_no_probe = \"warn\"");
  const pid_t before = served.node().daemon("app1");
  const Result result = served.drill({"--fault", "no-probe"});
  EXPECT_EQ(result.exit_code, 1) << "nothing was proved";
  EXPECT_THAT(result.out, HasSubstr("not run: on_no_probe is not \"fail\""));
  EXPECT_EQ(served.node().daemon("app1"), before);
}

TEST(GenappDrill, IsOneAtATime) {
  Served served("hc_timeout = 30");
  served.balancer().pause();
  Process first = served.start_drill("killed");
  ASSERT_TRUE(wait_until([&] { return first.out().find("fault made") != std::string::npos; }));
  const Result second = served.drill({"--fault", "hung"});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("another drill of \"lb\" is running"));
  served.balancer().go_on();
  EXPECT_EQ(first.wait().exit_code, 0);
  served.expect_all_is_back();
}

// Refusals. None touches the daemon.

void expect_refused(Served& served, const std::vector<std::string>& more, const std::string& why) {
  const pid_t before = served.node().daemon("app1");
  std::vector<std::string> arguments{"--fault", "killed"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Result result = served.drill(arguments);
  EXPECT_EQ(result.exit_code, 1) << result.out;
  EXPECT_THAT(result.err, AllOf(MatchesRegex("genapp: error: [ -~]+\n"), HasSubstr(why)));
  EXPECT_THAT(result.out, Not(HasSubstr("fault made")));
  EXPECT_EQ(served.node().daemon("app1"), before);
}

TEST(GenappDrillRefuses, AnUnknownTag) {
  const Node node;
  const Result result = node.run({"genapp", "drill", "-t", "lb", "--all", "--yes"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no resource \"lb\""));
}

TEST(GenappDrillRefuses, WhatIsNotInServiceAndWatched) {
  Served served("hc_timeout = 30");
  for (const std::string state : {"ISU", "OSU"}) {
    ASSERT_EQ(served.node().run({"genapp", "set-state", "-t", "lb", "-S", state}).exit_code, 0);
    expect_refused(served, {}, "its state is " + state + ", not ISP");
  }
}

TEST(GenappDrillRefuses, WhatIsIll) {
  Served served("hc_timeout = 0.3");
  served.balancer().pause();
  ASSERT_TRUE(wait_until([&] { return served.node().has("app1-hc-ng"); }));
  expect_refused(served, {}, "is not healthy, and a drill starts from health: no probe");
  ::kill(served.node().daemon("app1"), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return served.node().daemon("app1") == 0; }));
  expect_refused(served, {}, "is not running, and a drill starts from health");
}

TEST(GenappDrillRefuses, LifeKeepersResources) {
  Served served("hc_timeout = 30");
  served.node().settings("cluster = \"lifekeeper\"");
  expect_refused(served, {}, "LifeKeeper's");
}

TEST(GenappDrillRefuses, WhatCanNotBeRecovered) {
  Served none("hc_timeout = 30\nrecover = \"none\"");
  expect_refused(none, {}, "recover = \"none\"");
  LbhcNode never("hc_timeout = 30\nwait_first_probe = false");
  ASSERT_EQ(never.run("restore").exit_code, 0);
  const Result result = never.node().run({"genapp", "drill", "-t", "lb", "--all", "--yes"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no probe has come yet"));
}

TEST(GenappDrillRefuses, ToProbeWhereItsProbesDoNotCount) {
  LbhcNode node("hc_timeout = 30\nwait_first_probe = false\nallow = [\"azure\"]");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  const Result result =
      node.node().run({"genapp", "drill", "-t", "lb", "--all", "--yes", "--probe"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("`allow` does not name 127.0.0.1"));
}

TEST(GenappDrillRefuses, AResourceThatWasChanged) {
  Served served("hc_timeout = 30");
  const Port other;
  served.node().lbhc("lb", "app1", other.text() + " OK", "hc_timeout = 30");
  expect_refused(served, {}, "was changed since its daemon was started");
}

TEST(GenappDrillRefuses, AnLbhcd) {
  LbhcNode node("hc_timeout = 30");
  const SteadyProber balancer(node.port());
  Process lbhcd = node.start("lbhcd");
  ASSERT_TRUE(wait_until([&] { return node.state() == "ISP"; })) << lbhcd.err();
  const Result result = node.node().run({"genapp", "drill", "-t", "lb", "--all", "--yes"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("is an lbhcd"));
  EXPECT_TRUE(lbhcd.running());
  EXPECT_EQ(lbhcd.stop().exit_code, 0);
}

TEST(GenappDrillRefuses, WithoutThePrograms) {
  Served served("hc_timeout = 30");
  expect_refused(served, {"--programs", served.node().run_dir()},
                 "no restore, quickCheck and recover in " + served.node().run_dir());
}

TEST(GenappDrill, FindsThePrograms) {
  Served served("hc_timeout = 20");
  const Result result = served.drill(
      {"--fault", "killed", "--programs", std::filesystem::path(program("restore")).parent_path()});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

TEST(GenappDrill, AsksFirst) {
  const Node node;
  const Result no_terminal = node.run({"genapp", "drill", "-t", "lb", "--all"});
  EXPECT_EQ(no_terminal.exit_code, 64);
  EXPECT_THAT(no_terminal.err, HasSubstr("give --yes"));

  Served served("hc_timeout = 20");
  const pid_t before = served.node().daemon("app1");
  for (const std::string answer : {"n\n", "\n", "yess\n", "\x04"}) {
    OnTerminal terminal(served.node().command(argv_of({"--fault", "killed"})));
    ASSERT_TRUE(wait_until([&] { return terminal.shown().find("[y/N]") != std::string::npos; }));
    EXPECT_THAT(terminal.shown(), HasSubstr("Suspend the cluster manager's monitoring"));
    ASSERT_TRUE(terminal.type(answer));
    const int status = terminal.end();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
    EXPECT_THAT(terminal.shown(), HasSubstr("not confirmed"));
    EXPECT_EQ(served.node().daemon("app1"), before);
  }
  OnTerminal terminal(served.node().command(argv_of({"--fault", "killed"})));
  ASSERT_TRUE(wait_until([&] { return terminal.shown().find("[y/N]") != std::string::npos; }));
  ASSERT_TRUE(terminal.type("y\n"));
  const int status = terminal.end();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << terminal.shown();
  served.expect_all_is_back();
}

// Ctrl-C reaches the whole foreground process group, and the programs must not be in it.
TEST(GenappDrill, PutsEverythingBackOnCtrlC) {
  Served served("hc_timeout = 30");
  served.balancer().pause();
  OnTerminal terminal(served.node().command(argv_of({"--yes", "--fault", "killed"})));
  ASSERT_TRUE(wait_until([&] { return terminal.shown().find("seen:") != std::string::npos; }));
  ASSERT_TRUE(terminal.type("\x03"));
  served.balancer().go_on();
  const int status = terminal.end();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << terminal.shown();
  EXPECT_THAT(terminal.shown(), HasSubstr("interrupted by INT"));
  served.expect_all_is_back();
}

}  // namespace
}  // namespace genapp::tests
