// A daemon that gets no processor: stopped with SIGSTOP, or on a machine that does much else. What
// it is to do then is in docs/lbhc.md, "Stopped, frozen and suspended".

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <thread>

#include "tests/support/lbhc_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kFlag[] = "app1-hc-ng";

void stop(pid_t daemon) {
  ::kill(daemon, SIGSTOP);
  ASSERT_TRUE(wait_until([daemon] {
    return read_file("/proc/" + std::to_string(daemon) + "/stat").find(") T ") != std::string::npos;
  }));
}
void go_on(pid_t daemon) { ::kill(daemon, SIGCONT); }

// Time that is to pass while nothing happens.
void pass(std::chrono::milliseconds length) { std::this_thread::sleep_for(length); }

struct Kind {
  const char* name;
  const char* request;
  const char* reply_end;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class Stopped : public testing::TestWithParam<Kind> {
 protected:
  static std::string keys(const std::string& hc_timeout) {
    return "hc_timeout = " + hc_timeout + "\nprotocol = \"" + GetParam().name + "\"";
  }
  static std::unique_ptr<Client> prober(const LbhcNode& node) {
    auto client = std::make_unique<Client>("127.0.0.1", node.port());
    client->send(GetParam().request);
    return client;
  }
  static void expect_answered(Client& client) {
    const auto received = client.receive();
    EXPECT_TRUE(received.bytes.ends_with(GetParam().reply_end)) << received.bytes;
    EXPECT_TRUE(received.ended);
  }
  // Served, then stopped with the flag down; again, where this machine stood still in between.
  static pid_t stopped_without_flag(LbhcNode& node) {
    node.restore();
    const pid_t daemon = node.node().daemon("app1");
    EXPECT_TRUE(wait_until([&] {
      accepts(node.port());
      if (!wait_until([&] { return !node.node().has(kFlag); }, 1s)) return false;
      stop(daemon);
      if (!node.node().has(kFlag)) return true;
      go_on(daemon);
      return false;
    }));
    return daemon;
  }
};

TEST_P(Stopped, IsHungToQuickCheckWhetherProbesWaitOrNot) {
  LbhcNode node(keys("0.5"));
  const pid_t daemon = stopped_without_flag(node);
  pass(1s);
  const auto waiting = prober(node);
  const Result check = node.run("quickCheck");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, HasSubstr("hangs"));
  EXPECT_FALSE(node.node().has(kFlag));  // who should have raised it?
  go_on(daemon);
  expect_answered(*waiting);
}

// "flag cleared" in the log would mean that it had been up.
TEST_P(Stopped, CountsTheProbesThatWaitBeforeItJudges) {
  LbhcNode node(keys("0.5"));
  const pid_t daemon = stopped_without_flag(node);
  const auto waiting = prober(node);
  pass(1s);
  const std::size_t before = node.node().log().size();
  go_on(daemon);
  expect_answered(*waiting);
  EXPECT_THAT(node.node().log().substr(before), Not(HasSubstr("flag cleared")));
}

// The kernel goes on completing connections: a probe that came and gave up is still in the backlog.
TEST_P(Stopped, CountsTheProbesThatHaveGivenUp) {
  LbhcNode node(keys("0.5"));
  const pid_t daemon = stopped_without_flag(node);
  prober(node)->close();
  prober(node)->reset();
  pass(1s);
  const std::size_t before = node.node().log().size();
  go_on(daemon);
  accepts(node.port());
  ASSERT_TRUE(wait_until(
      [&] { return node.node().status("app1").find("\"connections\":0") != std::string::npos; }));
  EXPECT_THAT(node.node().log().substr(before), Not(HasSubstr("flag cleared")));
}

// So an empty backlog proves that none came.
TEST_P(Stopped, RaisesTheFlagAtOnceWhenNoProbeCameMeanwhile) {
  LbhcNode node(keys("0.5"));
  const pid_t daemon = stopped_without_flag(node);
  pass(1s);
  go_on(daemon);
  EXPECT_TRUE(wait_until([&] { return node.node().has(kFlag); }));
  EXPECT_THAT(node.run("quickCheck").err, HasSubstr("no probe for HC_TIMEOUT: stopped after"));
  expect_answered(*prober(node));
  EXPECT_TRUE(wait_until([&] { return node.node().log().ends_with("flag cleared\n"); }));
}

TEST_P(Stopped, WithTheFlagUpKeepsItUntilAProbeIsSeen) {
  LbhcNode node(keys("0.5"));
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  ASSERT_TRUE(wait_until([&] { return node.node().has(kFlag); }));
  stop(daemon);
  const auto waiting = prober(node);
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
  EXPECT_TRUE(node.node().has(kFlag));
  go_on(daemon);
  expect_answered(*waiting);
  EXPECT_TRUE(
      wait_until([&] { return node.node().log().find("flag cleared") != std::string::npos; }));
}

// From here on: stopped while restore waits for the first probe.

class StoppedStart : public Stopped {
 protected:
  static pid_t starting(LbhcNode& node, Process& restore) {
    EXPECT_TRUE(wait_until([&] { return !node.node().status("app1").empty(); })) << restore.err();
    const pid_t daemon = node.node().daemon("app1");
    stop(daemon);
    return daemon;
  }
};

TEST_P(StoppedStart, IsServedByAProbeThatWaitedBeyondHcTimeout) {
  LbhcNode node(keys("3"));
  Process restore = node.start("restore");
  const pid_t daemon = starting(node, restore);
  const auto waiting = prober(node);
  pass(4s);
  EXPECT_TRUE(restore.running());
  go_on(daemon);
  expect_answered(*waiting);
  const Result result = restore.wait();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(node.state(), "ISP");
}

TEST_P(StoppedStart, FailsWithoutAProbe) {
  LbhcNode node(keys("3"));
  Process restore = node.start("restore");
  const pid_t daemon = starting(node, restore);
  pass(4s);
  go_on(daemon);
  const Result result = restore.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("zero connections"));
  EXPECT_FALSE(accepts(node.port()));
  EXPECT_EQ(node.run("remove").exit_code, 0);
  EXPECT_THAT(node.node().run_files(), IsEmpty());
}

// A probe waits, but no daemon answered it: that is no start.
TEST_P(StoppedStart, IsEndedByRestoreWhenItNeverGoesOn) {
  LbhcNode node(keys("3"));
  Process restore = node.start("restore");
  const pid_t daemon = starting(node, restore);
  const auto waiting = prober(node);
  const Result result = restore.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("ended, or hung"));
  EXPECT_FALSE(process_exists(daemon));
  EXPECT_FALSE(accepts(node.port()));
  EXPECT_EQ(node.state(), "OSF");
}

INSTANTIATE_TEST_SUITE_P(Protocols, Stopped,
                         testing::Values(Kind{"tcp", "", "OK"},
                                         Kind{"http", "GET / HTTP/1.0\r\n\r\n", "\r\n\r\nOK"}),
                         [](const auto& kind) { return std::string(kind.param.name); });
INSTANTIATE_TEST_SUITE_P(Protocols, StoppedStart,
                         testing::Values(Kind{"tcp", "", "OK"},
                                         Kind{"http", "GET / HTTP/1.0\r\n\r\n", "\r\n\r\nOK"}),
                         [](const auto& kind) { return std::string(kind.param.name); });

// recover and remove of one that is stopped; see also Life.

TEST(StoppedDaemon, IsReplacedByRecoverOnlyIfAProbeComes) {
  LbhcNode node("hc_timeout = 0.5");
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  stop(daemon);
  // This one would be the stopped daemon's to count, and goes with it.
  const Client waiting("127.0.0.1", node.port());
  const Result result = node.run("recover");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("zero connections"));
  EXPECT_FALSE(process_exists(daemon));
  EXPECT_FALSE(accepts(node.port()));
  EXPECT_EQ(node.run("quickCheck").exit_code, 1);
}

TEST(StoppedDaemon, IsNotWaitedForWithADrain) {
  LbhcNode node("drain = 3600");
  node.restore();
  const pid_t daemon = node.node().daemon("app1");
  stop(daemon);
  const Result result = node.run("remove");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("no drain: "));
  EXPECT_FALSE(process_exists(daemon));
  EXPECT_THAT(node.node().run_files(), IsEmpty());
}

// The daemon with the least claim to a processor, and processors that others want: it accepts what
// waits before it reads the clock, so being late raises no flag.
TEST(LoadedMachine, RaisesNoFlagWhileProbesCome) {
  std::vector<Process> busy;
  for (unsigned i = 0; i < 2 * std::thread::hardware_concurrency(); ++i) {
    busy.emplace_back(Command{{"/usr/bin/nice", "-n", "5", "sh", "-c", "while :; do :; done"}});
  }
  LbhcNode node("hc_timeout = 4");
  Process restore(node.node().command(
      {"/usr/bin/nice", "-n", "19", program("restore"), "-t", "lb", "-i", "app1"}));
  // On a machine that is busy with other tests too, and with sanitizers, this may take a minute.
  ASSERT_TRUE(wait_until([&] { return accepts(node.port()); }, std::chrono::seconds(100)));
  // Probed from then on, also while restore, which is as slow, finds out that it may end.
  std::vector<Client> probers;
  for (int after = 0; after < 90; after += restore.running() ? 0 : 1) {
    probers.emplace_back("127.0.0.1", node.port());
    pass(100ms);
  }
  const Result result = restore.wait();
  ASSERT_EQ(result.exit_code, 0) << result.err;
  ASSERT_EQ(::getpriority(PRIO_PROCESS, static_cast<id_t>(node.node().daemon("app1"))), 19);
  for (Client& prober : probers) {
    EXPECT_EQ(prober.receive(std::chrono::seconds(100)).bytes, "OK");
  }
  // No quickCheck: it gives a daemon 3 s to answer, which here would be a test of the machine.
  EXPECT_THAT(node.node().log(), Not(HasSubstr("warning: no probe")));
  EXPECT_FALSE(node.node().has("app1-hc-ng"));
}

}  // namespace
}  // namespace genapp::tests
