// The OCF agents, called as Pacemaker calls them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "common/listener.hpp"
#include "lbhc/control.hpp"
#include "tests/support/net.hpp"
#include "tests/support/script_node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Values = std::map<std::string, std::string>;

// A node on which a resource "vip" of an agent is called.
class OcfNode {
 public:
  OcfNode(std::string agent, Values parameters)
      : agent_(std::move(agent)), parameters_(std::move(parameters)) {
    std::filesystem::remove(node_.run_dir());  // as after the installation
  }

  Node& node() { return node_; }
  Values& parameters() { return parameters_; }

  // `more`: further variables, such as OCF_CHECK_LEVEL.
  Result run(const std::string& action, const Values& more = {}) const {
    Command command = node_.command({program("ocf/" + agent_), action});
    command.env["OCF_ROOT"] = "/usr/lib/ocf";
    command.env["OCF_RESOURCE_INSTANCE"] = "vip";
    for (const auto& [name, value] : parameters_) command.env["OCF_RESKEY_" + name] = value;
    for (const auto& [name, value] : more) command.env[name] = value;
    return tests::run(command);
  }
  int code(const std::string& action, const Values& more = {}) const {
    const Result result = run(action, more);
    last_words_ = result.err;
    return result.exit_code;
  }
  // As a recurring operation.
  int monitor(int interval_ms = 10'000, int timeout_ms = 20'000) const {
    return code("monitor", {{"OCF_RESKEY_CRM_meta_interval", std::to_string(interval_ms)},
                            {"OCF_RESKEY_CRM_meta_timeout", std::to_string(timeout_ms)}});
  }
  const std::string& last_words() const { return last_words_; }

  common::Directory run_dir() const {
    return common::Directory::open(node_.run_dir(), "run directory",
                                   common::Directory::Symlink::refuse);
  }
  lbhc::Status status() const { return lbhc::ask_status(run_dir(), common::Id("vip"), 20s); }
  void signal(int number) const { ASSERT_EQ(::kill(node_.daemon("vip"), number), 0); }

 private:
  std::string agent_;
  Values parameters_;
  Node node_;
  mutable std::string last_words_;
};

class OcfLbhc : public testing::Test {
 protected:
  Port port_;
  OcfNode node_{"lbhc", {{"port", port_.text()}, {"reply", "OK"}}};
};

TEST_F(OcfLbhc, LivesAsPacemakerWantsItTo) {
  EXPECT_EQ(node_.code("validate-all"), 0) << node_.last_words();
  EXPECT_EQ(node_.code("monitor"), 7);  // the first probe
  EXPECT_FALSE(std::filesystem::exists(node_.node().run_dir()));
  EXPECT_EQ(node_.code("stop"), 0);
  EXPECT_FALSE(std::filesystem::exists(node_.node().run_dir()));

  EXPECT_EQ(node_.code("start"), 0) << node_.last_words();
  EXPECT_EQ(probe(port_.number()).bytes, "OK");
  EXPECT_EQ(node_.code("start"), 0) << node_.last_words();
  EXPECT_EQ(node_.code("monitor"), 0) << node_.last_words();
  EXPECT_EQ(node_.code("status"), 0);
  EXPECT_EQ(node_.monitor(), 0);

  EXPECT_EQ(node_.code("stop"), 0) << node_.last_words();
  EXPECT_FALSE(accepts(port_.number()));
  EXPECT_THAT(node_.node().run_files(), IsEmpty());
  EXPECT_EQ(node_.code("monitor"), 7);
  EXPECT_EQ(node_.code("stop"), 0);
}

TEST_F(OcfLbhc, AKilledResponderIsNotRunningAndAStoppedOneFailed) {
  ASSERT_EQ(node_.code("start"), 0);
  node_.signal(SIGSTOP);
  EXPECT_EQ(node_.monitor(), 1);
  EXPECT_THAT(node_.last_words(), StartsWith("ocf-exit-reason:"));
  EXPECT_THAT(node_.last_words(), HasSubstr("it hangs"));
  node_.signal(SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node_.node().daemon("vip") == 0; }));
  EXPECT_EQ(node_.monitor(), 7);
  EXPECT_THAT(node_.last_words(), HasSubstr("ocf-exit-reason:the daemon is not running"));
  EXPECT_EQ(node_.code("start"), 0) << node_.last_words();
  EXPECT_EQ(node_.monitor(), 0);
}

TEST_F(OcfLbhc, APortInUseFailsTheStartAndLeavesNothing) {
  const auto other = common::open_listener("any", port_.number());
  EXPECT_EQ(node_.code("start"), 1);
  EXPECT_THAT(node_.last_words(), HasSubstr("port " + port_.text() + " (any address) is in use"));
  EXPECT_EQ(node_.code("stop"), 0);
  EXPECT_THAT(node_.node().run_files(), IsEmpty());
}

TEST_F(OcfLbhc, WrongParametersAreTheConfigurationsFaultEverywhere) {
  for (const auto& [name, value] : Values{
           {"port", "http"}, {"hc_timeout", "soon"}, {"protocol", "smtp"}, {"allow", "10.1/8"}}) {
    OcfNode node("lbhc", {{"port", port_.text()}});
    node.parameters()[name] = value;
    for (const char* action : {"validate-all", "start", "monitor", "reload-agent"}) {
      EXPECT_EQ(node.code(action), 6) << name << ' ' << action;
      EXPECT_THAT(node.last_words(), HasSubstr("parameter " + name));
    }
    EXPECT_EQ(node.code("stop"), 0) << name;
  }
}

TEST_F(OcfLbhc, StopsWhatRunsWhateverBecameOfItsParameters) {
  ASSERT_EQ(node_.code("start"), 0);
  node_.parameters()["port"] = "gone";
  EXPECT_EQ(node_.code("stop"), 0);
  EXPECT_THAT(node_.last_words(), HasSubstr("stopping it without a drain"));
  EXPECT_FALSE(accepts(port_.number()));
  EXPECT_THAT(node_.node().run_files(), IsEmpty());
}

TEST_F(OcfLbhc, SettingsThatCannotBeReadAreThisNodesFault) {
  ASSERT_EQ(node_.code("start"), 0);
  write_file(node_.node().config_dir() + "/genapp.toml", "nonsense = 1\n");
  EXPECT_EQ(node_.code("monitor"), 2);
  EXPECT_THAT(node_.last_words(), HasSubstr("genapp.toml:1"));
  EXPECT_EQ(node_.code("stop"), 0) << node_.last_words();
  EXPECT_EQ(node_.code("start"), 2);
}

TEST_F(OcfLbhc, WrongCallsAreToldApart) {
  EXPECT_EQ(node_.code("promote"), 3);
  EXPECT_EQ(node_.code("notify"), 3);
  EXPECT_EQ(node_.code("monitor", {{"OCF_RESOURCE_INSTANCE", "../vip"}}), 2);
  EXPECT_EQ(node_.code("monitor", {{"OCF_RESKEY_CRM_meta_interval", "soon"}}), 2);
  EXPECT_EQ(node_.node().run({program("ocf/lbhc")}).exit_code, 2);
  EXPECT_THAT(node_.node().run({program("ocf/lbhc"), "--help"}).out,
              HasSubstr("Usage: lbhc ACTION"));
}

TEST_F(OcfLbhc, TheDeepCheckProbesThePortAndIsNoProbe) {
  for (const std::string protocol : {"tcp", "http", "haproxy-agent"}) {
    const Port port;
    OcfNode node("lbhc", {{"port", port.text()},
                          {"reply", protocol == "haproxy-agent" ? "up" : "OK"},
                          {"protocol", protocol},
                          {"allow", "203.0.113.1"},
                          {"others", "refuse"}});
    ASSERT_EQ(node.code("start"), 0) << node.last_words();
    EXPECT_EQ(node.code("monitor", {{"OCF_CHECK_LEVEL", "10"}}), 0) << node.last_words();
    const lbhc::Status status = node.status();
    EXPECT_EQ(status.answered, 1u) << protocol;
    EXPECT_EQ(status.probes, 0u);
    EXPECT_EQ(status.others, 0u);
  }
}

// What the daemon itself can't know: here the loopback interface is down for IPv6's ::1.
TEST_F(OcfLbhc, TheDeepCheckFailsWhereTheAnswerIsAnother) {
  ASSERT_EQ(node_.code("start"), 0);
  node_.parameters()["reply"] = "changed and not restarted";
  EXPECT_EQ(node_.code("monitor"), 0);
  EXPECT_EQ(node_.code("monitor", {{"OCF_CHECK_LEVEL", "10"}}), 1);
  EXPECT_THAT(node_.last_words(), HasSubstr("was answered with \"OK\""));
}

TEST_F(OcfLbhc, NoProbesAreAWarningUnlessTheUserWantsAFailure) {
  node_.parameters()["hc_timeout"] = "0.2";
  ASSERT_EQ(node_.code("start"), 0);
  ASSERT_TRUE(wait_until([&] { return node_.node().has("vip-hc-ng"); }));
  EXPECT_EQ(node_.monitor(), 0);
  EXPECT_THAT(node_.last_words(), HasSubstr("no probe for HC_TIMEOUT: never probed"));
  node_.parameters()["on_no_probe"] = "ignore";
  EXPECT_EQ(node_.monitor(), 0);
  EXPECT_THAT(node_.last_words(), IsEmpty());
  node_.parameters()["on_no_probe"] = "fail";
  EXPECT_EQ(node_.monitor(), 1);
  EXPECT_THAT(node_.last_words(), HasSubstr("ocf-exit-reason:no probe for HC_TIMEOUT"));
}

TEST_F(OcfLbhc, TheRecurringMonitorKeepsTheLease) {
  ASSERT_EQ(node_.code("start"), 0);
  EXPECT_EQ(node_.code("monitor"), 0);  // a probe promises nothing
  EXPECT_FALSE(node_.status().lease_ms);
  EXPECT_EQ(node_.monitor(60'000, 40'000), 0);
  ASSERT_TRUE(node_.status().lease_ms);
  EXPECT_GT(*node_.status().lease_ms, 60'000);
  EXPECT_LE(*node_.status().lease_ms, 100'000);
  EXPECT_EQ(node_.code("monitor"), 0);
  EXPECT_GT(*node_.status().lease_ms, 60'000);
}

// As when Pacemaker died.
TEST_F(OcfLbhc, WithoutMonitorsTheResponderFallsSilent) {
  ASSERT_EQ(node_.code("start"), 0);
  EXPECT_EQ(node_.monitor(100, 100), 0);
  EXPECT_TRUE(wait_until([&] { return node_.node().daemon("vip") == 0; }));
  EXPECT_FALSE(accepts(port_.number()));
  EXPECT_EQ(node_.monitor(), 7);
  EXPECT_FALSE(accepts(port_.number()));
  // Its last words come after its port and its lock.
  EXPECT_TRUE(wait_until([&] {
    return node_.node().log().find("the lease has run out") != std::string::npos;
  })) << node_.node().log();
  EXPECT_EQ(node_.code("start"), 0) << node_.last_words();
  EXPECT_TRUE(accepts(port_.number()));
}

// Before maintenance-mode, in which there are no monitors.
TEST_F(OcfLbhc, ReloadTurnsTheLeaseOffAndOn) {
  ASSERT_EQ(node_.code("start"), 0);
  ASSERT_EQ(node_.monitor(), 0);
  ASSERT_TRUE(node_.status().lease_ms);
  node_.parameters()["lease"] = "0";
  EXPECT_EQ(node_.code("reload-agent"), 0) << node_.last_words();
  EXPECT_FALSE(node_.status().lease_ms);
  EXPECT_EQ(node_.monitor(), 0);
  EXPECT_FALSE(node_.status().lease_ms);
  node_.parameters()["lease"] = "50";
  EXPECT_EQ(node_.code("reload-agent"), 0);
  EXPECT_GT(*node_.status().lease_ms, 30'000);
  node_.parameters().erase("lease");
  EXPECT_EQ(node_.code("reload-agent"), 0);
  EXPECT_EQ(node_.monitor(1000, 200'000), 0);
  EXPECT_GT(*node_.status().lease_ms, 100'000);
}

TEST_F(OcfLbhc, AFixedLeaseBeginsWithTheStart) {
  node_.parameters()["lease"] = "60";
  ASSERT_EQ(node_.code("start"), 0);
  ASSERT_TRUE(node_.status().lease_ms);
  EXPECT_LE(*node_.status().lease_ms, 60'000);
}

TEST_F(OcfLbhc, TheStandbyCheckFindsWhoeverAnswers) {
  const auto intruder = common::open_listener("127.0.0.1", port_.number());
  EXPECT_EQ(node_.monitor(), 7);
  node_.parameters()["standby_check"] = "true";
  EXPECT_EQ(node_.code("monitor"), 7);  // a probe asks for nothing but the resource
  EXPECT_EQ(node_.monitor(), 1);
  EXPECT_THAT(node_.last_words(), HasSubstr("port " + port_.text() + " is open (127.0.0.1)"));
  OcfNode quiet("lbhc", {{"port", Port().text()}, {"standby_check", "true"}});
  EXPECT_EQ(quiet.monitor(), 7);
}

// Somebody has put the state away under a daemon that serves.
TEST_F(OcfLbhc, ADaemonWithoutItsStateIsNoStoppedResource) {
  ASSERT_EQ(node_.code("start"), 0);
  std::filesystem::remove(node_.node().run_file("vip.state"));
  EXPECT_EQ(node_.code("monitor"), 1);
  EXPECT_THAT(node_.last_words(), HasSubstr("its daemon lives"));
  EXPECT_EQ(node_.code("stop"), 0);
  EXPECT_EQ(node_.code("monitor"), 7);
}

class OcfScript : public testing::Test {
 protected:
  OcfScript() {
    scripts_.script("restore", "echo start >> \"$here/calls\"; echo on > \"$here/app\"");
    scripts_.script("quickCheck", "test -e \"$here/app\"");
    scripts_.script("remove", "echo stop >> \"$here/calls\"; rm -f \"$here/app\"");
  }
  ScriptNode scripts_;
  OcfNode node_{"script", {{"folder", scripts_.path("scripts")}}};
};

TEST_F(OcfScript, LivesAsPacemakerWantsItTo) {
  EXPECT_EQ(node_.code("validate-all"), 0) << node_.last_words();
  EXPECT_EQ(node_.code("monitor"), 7);
  EXPECT_EQ(node_.code("stop"), 0);
  EXPECT_FALSE(std::filesystem::exists(node_.node().run_dir()));
  EXPECT_EQ(node_.code("start"), 0) << node_.last_words();
  EXPECT_EQ(node_.monitor(), 0) << node_.last_words();
  EXPECT_EQ(node_.code("start"), 0);
  EXPECT_EQ(scripts_.content("calls"), "start\n");
  std::filesystem::remove(scripts_.path("app"));
  EXPECT_EQ(node_.monitor(), 1);
  EXPECT_EQ(node_.code("start"), 0);
  EXPECT_EQ(scripts_.content("calls"), "start\nstart\n");
  EXPECT_EQ(node_.code("stop"), 0) << node_.last_words();
  EXPECT_EQ(node_.monitor(), 7);
  EXPECT_THAT(node_.node().run_files(), IsEmpty());
  EXPECT_EQ(node_.code("stop"), 0);
  EXPECT_EQ(scripts_.content("calls"), "start\nstart\nstop\n");
}

// A cluster manager that died between the two must not believe that nothing is there.
TEST_F(OcfScript, AFailedStartIsNotStoppedUntilAStop) {
  scripts_.script("restore", "echo half > \"$here/app\"; exit 1");
  EXPECT_EQ(node_.code("start"), 1);
  EXPECT_EQ(node_.code("monitor"), 1);
  EXPECT_THAT(node_.last_words(), HasSubstr("its start failed"));
  EXPECT_EQ(node_.code("stop"), 0);
  EXPECT_EQ(node_.code("monitor"), 7);
}

TEST_F(OcfScript, WhatIsNotInstalledHereIsToldSoThatAnotherNodeIsTried) {
  std::filesystem::remove(scripts_.script_path("remove"));
  EXPECT_EQ(node_.code("start"), 5);
  EXPECT_THAT(node_.last_words(), HasSubstr(scripts_.script_path("remove")));
  EXPECT_EQ(node_.code("validate-all"), 0);
  EXPECT_EQ(node_.code("validate-all", {{"OCF_CHECK_LEVEL", "10"}}), 5);
  EXPECT_EQ(node_.code("monitor"), 7);
  EXPECT_EQ(node_.code("stop"), 0);
}

TEST_F(OcfScript, WrongParametersAreTheConfigurationsFault) {
  node_.parameters()["start"] = "later";
  EXPECT_EQ(node_.code("start"), 6);
  EXPECT_EQ(node_.code("validate-all"), 6);
  node_.parameters() = {};
  EXPECT_EQ(node_.code("validate-all"), 6);
  EXPECT_EQ(node_.code("stop"), 0);
}

// Nothing is known then of how to stop it.
TEST_F(OcfScript, DoesNotSayStoppedOfWhatItCannotStop) {
  ASSERT_EQ(node_.code("start"), 0);
  node_.parameters() = {};
  EXPECT_EQ(node_.code("stop"), 6);
  node_.parameters() = {{"folder", scripts_.path("scripts")}};
  EXPECT_EQ(node_.code("stop"), 0);
}

// In order, before the manager's own limit would end the agent alone.
TEST_F(OcfScript, EndsAScriptBeforeTheOperationsTimeout) {
  scripts_.script("restore", "sleep 60");
  node_.parameters()["kill_after"] = "0.1";
  const Result result = node_.run("start", {{"OCF_RESKEY_CRM_meta_timeout", "1400"}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("0.7 s"));
  EXPECT_THAT(scripts_.processes(), IsEmpty());
}

TEST_F(OcfScript, SupervisesAnAsynchronousCommand) {
  scripts_.script("restore", "exec sleep 60");
  node_.parameters() = {
      {"restore", scripts_.script_path("restore")}, {"start", "async"}, {"started_after", "0.05"}};
  ASSERT_EQ(node_.code("start"), 0) << node_.last_words();
  EXPECT_EQ(node_.monitor(), 0);
  EXPECT_EQ(node_.code("start"), 0);
  EXPECT_EQ(node_.code("stop"), 0);
  EXPECT_THAT(scripts_.processes(), IsEmpty());
}

}  // namespace
}  // namespace genapp::tests
