// The agent among enemies: agents that race for the node, clients of the control socket that are
// none, no descriptors left, its run directory deleted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <filesystem>
#include <list>

#include "tests/support/agent_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr char kQuickLooks[] = "monitor_interval = 0.2\noffline_monitor_interval = 0.2\n";

TEST(AgentRace, OfManyExactlyOneLives) {
  AgentNode node;
  node.app("web", std::string(kQuickLooks) + "auto_start = true\n");
  std::list<Process> agents;
  for (int i = 0; i < 20; ++i) agents.emplace_back(node.node().command({"genapp-agent"}));
  const auto living = [&] {
    return std::ranges::count_if(agents, [](Process& agent) { return agent.running(); });
  };
  EXPECT_TRUE(wait_until([&] { return living() == 1; }));
  EXPECT_TRUE(node.comes_to("web", "Online"));
  EXPECT_EQ(living(), 1);
  EXPECT_EQ(node.count("web", "restore"), 1u);
  for (Process& agent : agents) {
    if (agent.running()) continue;
    const Result result = agent.wait();
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("an agent runs already"));
  }
}

// ---- its control socket

common::Fd connect_to(const AgentNode& node) {
  common::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = node.node().run_file("agent/sock");
  EXPECT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

void send_all(const common::Fd& fd, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = ::send(fd.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;  // turned away
    sent += static_cast<std::size_t>(n);
  }
}

class AgentClients : public testing::Test {
 protected:
  AgentClients() {
    node_.app("web", kQuickLooks);
    node_.start();
    EXPECT_TRUE(node_.comes_to("web", "Offline"));
  }
  void expect_answers() {
    EXPECT_EQ(node_.view("web", "state"), "Offline");
    EXPECT_EQ(node_.genapp({"online", "web"}).exit_code, 0);
    EXPECT_EQ(node_.view("web", "state"), "Online");
    EXPECT_TRUE(node_.agent().running());
  }
  AgentNode node_;
};

TEST_F(AgentClients, GarbageHindersNobody) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 7 + i / 256);
  for (const std::string& line :
       {bytes, std::string("\n"), std::string(3, '\0') + "\n", std::string("status ../../etc\n"),
        std::string("online\n"), std::string("online web web\n"), std::string("events -1 0\n"),
        std::string("events 99999999999999999999 1\n"), std::string("online group \xff\n"),
        std::string("reload now\n"), std::string("ONLINE web\n")}) {
    const common::Fd client = connect_to(node_);
    send_all(client, line);
  }
  expect_answers();
}

TEST_F(AgentClients, AMegabyteWithoutALineFeedIsTurnedAway) {
  const common::Fd client = connect_to(node_);
  send_all(client, std::string(1 << 20, 'x'));
  expect_answers();
}

TEST_F(AgentClients, AHundredThatSayNothingHinderNobody) {
  std::list<common::Fd> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(connect_to(node_));
  expect_answers();
}

// ---- nothing left

// UndefinedBehaviorSanitizer looks at objects through a pipe, and without a descriptor takes each
// for none.
#ifndef __SANITIZE_ADDRESS__

// Sets the agent's soft limit of descriptors; those it has stay open.
void limit_descriptors(AgentNode& node, rlim_t most) {
  rlimit limit{};
  ASSERT_EQ(::prlimit(node.agent().pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = most;
  ASSERT_EQ(::prlimit(node.agent().pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
}

rlim_t descriptor_limit(AgentNode& node) {
  rlimit limit{};
  EXPECT_EQ(::prlimit(node.agent().pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
  return limit.rlim_cur;
}

TEST(AgentExhausted, WithoutDescriptorsItGoesOnAndThenSeesWhatHappened) {
  AgentNode node;
  node.app("web", std::string(kQuickLooks) + "restart_limit = 2\n");
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  const pid_t first = node.processes("web").at(0);
  const rlim_t before = descriptor_limit(node);
  limit_descriptors(node, 3);
  ::kill(first, SIGKILL);
  EXPECT_TRUE(wait_until([&] {
    return node.node().log().find("Too many open files") != std::string::npos;
  })) << node.node().log();
  ASSERT_TRUE(node.agent().running()) << node.agent().err();
  limit_descriptors(node, before);
  EXPECT_TRUE(wait_until([&] {
    const auto all = node.processes("web");
    return all.size() == 1 && all[0] != first && node.view("web", "state") == "Online";
  })) << node.node().log();
  EXPECT_EQ(node.view("web", "faulted"), "false");
}
#endif

TEST(AgentRunDirectory, DeletedItEndsAndLeavesTheApplication) {
  AgentNode node;
  node.app("web", kQuickLooks);
  node.start();
  ASSERT_EQ(node.genapp({"online", "web"}).exit_code, 0);
  const auto before = node.processes("web");
  std::filesystem::remove_all(node.node().run_file("agent"));
  ASSERT_TRUE(wait_until([&] { return !node.agent().running(); }));
  EXPECT_EQ(node.agent().wait().exit_code, 1);
  EXPECT_THAT(node.node().log(), HasSubstr("was deleted or replaced"));
  EXPECT_EQ(node.processes("web"), before);
  node.start();
  EXPECT_TRUE(node.comes_to("web", "Online"));
  EXPECT_EQ(node.processes("web"), before);
}

}  // namespace
}  // namespace genapp::tests
