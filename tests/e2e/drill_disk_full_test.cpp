// genapp drill --fault disk-full, on a run directory that is a small tmpfs of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json.hpp>

#include "tests/e2e/namespace.hpp"
#include "tests/e2e/two_nodes.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/steady_prober.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;

// What nsenter runs.
pid_t only_child(pid_t parent) {
  const std::string pid = std::to_string(parent);
  return std::stoi(read_file("/proc/" + pid + "/task/" + pid + "/children"));
}

class DiskFullDrill : public testing::Test {
 protected:
  void SetUp() override {
    node_.lbhc(kTag, kId, port_.text() + " OK", "hc_timeout = 3");
    ASSERT_TRUE(succeeded(act("restore")));
  }
  Result act(const std::string& action) const {
    return run(host_.inside(node_.command({action, "-t", kTag, "-i", kId})));
  }
  Command drill(const std::vector<std::string>& more) const {
    std::vector<std::string> argv{"genapp", "drill", "-t", kTag, "--yes", "--fault", "disk-full"};
    argv.insert(argv.end(), more.begin(), more.end());
    return host_.inside(node_.command(argv));
  }
  std::string in_run_dir(const std::string& script) const {
    return host_.shell("cd " + node_.run_dir() + "; " + script);
  }
  bool is_full() const {
    return in_run_dir("printf x 2>/dev/null > probe && echo no || echo yes; rm -f probe") ==
           "yes\n";
  }
  void expect_all_is_back() const {
    EXPECT_TRUE(wait_until([this] { return !is_full(); }));
    EXPECT_TRUE(wait_until([this] { return act("quickCheck").exit_code == 0; }));
    EXPECT_EQ(in_run_dir("cat app1.state"), "ISP\n");
    EXPECT_EQ(probe(port_.number()).bytes, "OK");
    EXPECT_EQ(in_run_dir("ls -A"), "app1.lock\napp1.pid\napp1.sock\napp1.state\n");
  }

  Port port_;
  Node node_;
  Namespace host_{Namespace::Network::shared,
                  "mount -t tmpfs -o mode=0755,size=64k genapp-test " + node_.run_dir()};
  SteadyProber balancer_{port_.number()};
};

TEST_F(DiskFullDrill, IsSeenAndRecovered) {
  const Result result = run(drill({"--json"}));
  EXPECT_TRUE(succeeded(result)) << result.out;
  const auto fault = boost::json::parse(result.out).at("faults").at(0);
  EXPECT_EQ(fault.at("result"), "passed");
  EXPECT_THAT(result.err, HasSubstr("KiB were free)"));
  EXPECT_THAT(result.err, HasSubstr("seen: quickCheck 1: no probe for HC_TIMEOUT"));
  expect_all_is_back();
}

TEST_F(DiskFullDrill, IsEmptiedWhenTheDrillIsCutOff) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    Process process(drill({}));
    ASSERT_TRUE(wait_until([&] {
      return process.out().find("KiB were free") != std::string::npos;
    })) << process.out()
        << process.err();
    EXPECT_TRUE(is_full());
    ::kill(only_child(process.pid()), signal);
    EXPECT_NE(process.wait().exit_code, 0);
    expect_all_is_back();
  }
}

}  // namespace
}  // namespace genapp::tests
