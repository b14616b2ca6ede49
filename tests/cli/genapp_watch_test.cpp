// genapp status --watch: round after round until it is told to end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <boost/json.hpp>
#include <sstream>

#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/terminal.hpp"
#include "tests/support/text.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;

Process watch(const Node& node, const std::vector<std::string>& more = {}) {
  std::vector<std::string> argv{"genapp", "status", "--watch", "--interval", "0.1"};
  argv.insert(argv.end(), more.begin(), more.end());
  return Process(node.command(argv));
}

TEST(GenappWatch, PrintsBlocksUntilInt) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  Process process = watch(node);
  ASSERT_TRUE(wait_until([&] { return count_of(process.out(), "TAG  ID") >= 2; })) << process.err();
  ASSERT_EQ(node.run({"genapp", "set-state", "-t", "lb", "-S", "ISU"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return count_of(process.out(), "lbhc  ISU") >= 1; }));
  process.signal(SIGINT);
  const Result result = process.wait();
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("lbhc  OSU"));
  EXPECT_TRUE(result.out.ends_with("-\n\n")) << "cut off: " << result.out;
  EXPECT_EQ(result.out.find('\033'), std::string::npos);
}

TEST(GenappWatch, EndsOnTermWhileItWaitsForAHungDaemon) {
  Node node;
  const Port port;
  node.lbhc("lb", "app1", port.text(), "wait_first_probe = false");
  ASSERT_EQ(node.action("restore", "lb", "app1").exit_code, 0);
  const pid_t daemon = node.daemon("app1");
  ASSERT_GT(daemon, 0);
  ::kill(daemon, SIGSTOP);
  Process process = watch(node);
  EXPECT_TRUE(wait_until([&] { return count_of(process.out(), "(hung)") >= 1; }));
  EXPECT_EQ(process.stop().exit_code, 0);
}

TEST(GenappWatch, PrintsOneLineOfJsonARound) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  Process process = watch(node, {"--json", "lb"});
  ASSERT_TRUE(wait_until([&] { return count_of(process.out(), "\n") >= 3; })) << process.err();
  process.signal(SIGINT);
  const Result result = process.wait();
  EXPECT_EQ(result.exit_code, 0);
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_EQ(boost::json::parse(line).at("resources").at(0).at("tag"), "lb");
  }
}

TEST(GenappWatch, FollowsIntAlsoWhenItsCallerIgnoredIt) {
  const Node node;
  Process process(node.command(
      {"/bin/sh", "-c", "trap '' INT; exec " + program("genapp") + " status --watch"}));
  ASSERT_TRUE(wait_until([&] { return !process.out().empty(); })) << process.err();
  process.signal(SIGINT);
  EXPECT_EQ(process.wait().exit_code, 0);
}

TEST(GenappWatch, EndsWhenItsReaderIsGone) {
  const Node node;
  const std::string command = program("genapp") + " status --watch --interval 0.1";
  const Result result =
      node.run({"/bin/sh", "-c", "{ " + command + "; echo $? >&2; } | head -n 1"});
  EXPECT_FALSE(result.over_limit);
  EXPECT_THAT(result.err, HasSubstr("Broken pipe"));
  EXPECT_TRUE(result.err.ends_with("1\n")) << result.err;
}

TEST(GenappWatch, EndsWithAnErrorWhenTheRunDirectoryGoes) {
  const Node node;
  Process process = watch(node);
  ASSERT_TRUE(wait_until([&] { return !process.out().empty(); })) << process.err();
  std::filesystem::remove_all(node.run_dir());
  const Result result = process.wait();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("does not exist"));
}

TEST(GenappWatch, RedrawsOnATerminalUntilCtrlC) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  OnTerminal terminal(node.command({"genapp", "status", "--watch", "--interval", "0.1"}));
  const std::string home = "\033[H\033[J";
  ASSERT_TRUE(wait_until([&] { return count_of(terminal.shown(), home) >= 3; }))
      << terminal.shown();
  EXPECT_THAT(terminal.shown(), HasSubstr("lb   app1  lbhc  OSU"));
  ASSERT_TRUE(terminal.type("\x03"));
  const int status = terminal.end();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace genapp::tests
