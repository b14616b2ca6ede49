// The agent stopped (SIGSTOP) for longer than any of its limits: the time in which it did not run
// is none of the application's faults, and what died meanwhile is restarted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/support/agent_node.hpp"
#include "tests/support/hostile_server.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::SizeIs;

constexpr char kShort[] =
    "monitor_interval = 0.2\noffline_monitor_interval = 0.2\nmonitor_timeout = "
    "1\nfault_on_monitor_timeouts = 1\n";
constexpr auto kFrozen = std::chrono::seconds(3);

void freeze(AgentNode& node) {
  node.agent().signal(SIGSTOP);
  std::this_thread::sleep_for(kFrozen);
}

// Some monitors after it runs again.
void thaw(AgentNode& node) {
  const std::size_t before = node.count("web", "quickCheck");
  node.agent().signal(SIGCONT);
  EXPECT_TRUE(wait_until([&] { return node.count("web", "quickCheck") >= before + 4; }));
}

void expect_untouched(const AgentNode& node) {
  EXPECT_EQ(node.view("web", "state"), "Online");
  EXPECT_EQ(node.view("web", "faulted"), "false");
  EXPECT_EQ(node.count("web", "restore"), 1u);
  EXPECT_EQ(node.count("web", "remove"), 0u);
  EXPECT_THAT(node.processes("web"), SizeIs(1));
}

TEST(AgentFrozen, AHealthyApplicationIsLeftAlone) {
  AgentNode node;
  // One that takes its time is likely to be under way when the agent is stopped.
  node.app("web", std::string(kShort) + "restart_limit = 2\n");
  node.script("web", "quickCheck", "echo quickCheck >>\"$here/journal\"; sleep 0.3; alive");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  for (int turn = 0; turn < 2; ++turn) {
    freeze(node);
    thaw(node);
    expect_untouched(node);
  }
}

TEST(AgentFrozen, WhatDiedMeanwhileIsRestarted) {
  AgentNode node;
  node.app("web", std::string(kShort) + "restart_limit = 2\n");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  const pid_t first = node.processes("web").at(0);
  node.agent().signal(SIGSTOP);
  ::kill(first, SIGKILL);
  std::this_thread::sleep_for(kFrozen);
  node.agent().signal(SIGCONT);
  EXPECT_TRUE(wait_until([&] {
    const auto all = node.processes("web");
    return all.size() == 1 && all[0] != first && node.view("web", "state") == "Online";
  }));
  EXPECT_EQ(node.view("web", "faulted"), "false");
  EXPECT_EQ(node.count("web", "restore"), 2u);
}

TEST(AgentFrozen, ACommandThatIsUnderWayHasNotHung) {
  AgentNode node;
  const std::string begun = node.path("begun");
  node.app("web",
           std::string(kShort) +
               "[monitor.deep]\nkind = \"custom\"\ncommand = [\"/bin/sh\", \"-c\", \"echo > " +
               begun +
               "; sleep 0.3\"]\nmonitor_interval = 1\nstabilization_interval = 0.1\n"
               "restart_count = 2\n");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  for (int turn = 0; turn < 2; ++turn) {
    std::filesystem::remove(begun);
    ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(begun); }));
    freeze(node);
    thaw(node);
    expect_untouched(node);
  }
}

TEST(AgentFrozen, AnHttpServerThatHasAnsweredIsNotLate) {
  std::atomic<int> asked{0};
  HostileServer server([&](Conversation& talk) {
    if (!talk.wait_for("\r\n\r\n")) return;
    ++asked;
    if (!talk.pause(std::chrono::milliseconds(300))) return;
    talk.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  AgentNode node;
  node.app("web", std::string(kShort) +
                      "[monitor.page]\nkind = \"http\"\nurl = \"http://127.0.0.1:" +
                      std::to_string(server.port()) +
                      "/\"\nmonitor_interval = 0.5\ncheck_timeout = 1\n"
                      "stabilization_interval = 0.1\nrestart_count = 2\n");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  for (int turn = 0; turn < 2; ++turn) {
    const int before = asked;
    ASSERT_TRUE(wait_until([&] { return asked > before; }));
    freeze(node);
    thaw(node);
    expect_untouched(node);
  }
}

}  // namespace
}  // namespace genapp::tests
