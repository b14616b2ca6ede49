// The programs under LifeKeeper, in the order of a user's life, against a stand-in of its ins_list
// (tests/support/ins_list.hpp). None of this has run under the product.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/support/ins_list.hpp"
#include "tests/support/lbhc_node.hpp"
#include "tests/support/text.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kNoWait[] = "[lbhc]\nwait_first_probe = false\n";

// One resource, "lb" with the id "app1", as LifeKeeper alone knows it.
class LifeKeeperTest : public testing::Test {
 protected:
  LifeKeeperTest() {
    node_.env["LKROOT"] = lifekeeper_.root();
    node_.env["GENAPP_LK_DEFAULTS"] = defaults();
    in_state("OSU");
  }

  std::string defaults() const { return folder_ / "defaults"; }
  void in_state(const std::string& state) {
    lifekeeper_.set("lb", "app1", port_.text() + " OK", state);
  }
  Result run(const std::string& action) const { return node_.action(action, "lb", "app1"); }
  // As LifeKeeper does it: the state is ISP once restore has succeeded.
  void restore() {
    node_.settings(kNoWait);
    const Result result = run("restore");
    ASSERT_EQ(result.exit_code, 0) << result.err;
    in_state("ISP");
  }
  void expect_failure(const Result& result, const std::string& part) const {
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_EQ(count_of(result.err, "error: "), 1u) << result.err;
    EXPECT_THAT(result.err, HasSubstr(part));
  }

  TempDir folder_;
  InsListStandIn lifekeeper_;
  Port port_;
  Node node_;
};

TEST_F(LifeKeeperTest, ALifeFromRestoreToRemove) {
  node_.settings(kNoWait);
  const Result restored = run("restore");
  ASSERT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_EQ(probe(port_.number()).bytes, "OK");
  EXPECT_FALSE(node_.has("app1.state"));

  in_state("ISP");
  const Result healthy = run("quickCheck");
  EXPECT_EQ(healthy.exit_code, 0) << healthy.err;

  ::kill(node_.daemon("app1"), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node_.daemon("app1") == 0; }));
  expect_failure(run("quickCheck"), "\"lb\"");

  Process recover = node_.start_action("recover", "lb", "app1");
  wait_until([&] {
    accepts(port_.number());
    return !recover.running();
  });
  const Result recovered = recover.wait();
  EXPECT_EQ(recovered.exit_code, 0) << recovered.err;
  EXPECT_EQ(run("quickCheck").exit_code, 0);

  const Result removed = run("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_FALSE(accepts(port_.number()));
  EXPECT_THAT(node_.run_files(), IsEmpty());
}

TEST_F(LifeKeeperTest, TheStateIsLifeKeepersAlone) {
  restore();
  ::kill(node_.daemon("app1"), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node_.daemon("app1") == 0; }));
  // A state file of an earlier life says nothing.
  write_file(node_.run_file("app1.state"), "OSU\n");
  EXPECT_EQ(run("quickCheck").exit_code, 1);
  for (const std::string state : {"ISU", "OSU", "OSF"}) {
    in_state(state);
    EXPECT_EQ(run("quickCheck").exit_code, 0) << state;
  }
  expect_failure(run("recover"), "only a resource in service can be recovered");
}

TEST_F(LifeKeeperTest, AFailedRestoreRecordsNothing) {
  node_.settings("[lbhc]\nhc_timeout = 0.2\n");
  expect_failure(run("restore"), "zero connections");
  EXPECT_THAT(node_.run_files(), IsEmpty());
}

TEST_F(LifeKeeperTest, QuickCheckAsksOnceWithABareEnvironment) {
  restore();
  const long before = lifekeeper_.calls();
  node_.env["SECRET"] = "x";
  EXPECT_EQ(run("quickCheck").exit_code, 0);
  EXPECT_EQ(lifekeeper_.calls(), before + 1);
  EXPECT_EQ(lifekeeper_.arguments(), "-t lb\n");
  const std::string root = lifekeeper_.root();
  EXPECT_EQ(lifekeeper_.environment(),
            "PATH=" + root + "/bin:/usr/sbin:/usr/bin:/sbin:/bin\nLKROOT=" + root + "\nLANG=C\n");
}

// What LifeKeeper makes of our executables: a copy named by the tag, called from anywhere.
TEST_F(LifeKeeperTest, CopiedAndRenamedExecutablesWork) {
  node_.settings(kNoWait);
  const auto install = [&](const std::string& name, const std::string& place) {
    const std::string folder = lifekeeper_.root() + "/subsys/gen/resources/app/" + place;
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(program(name), folder + "/lb");
    return folder + "/lb";
  };
  const std::string restore = install("restore", "actions/!restore");
  const std::string remove = install("remove", "actions/!remove");
  const std::string quick_check = install("quickCheck", "actions/!quickCheck");
  const std::string recover = install("recover", "recovery/!recover");
  const auto call = [&](const std::string& copy) {
    return tests::run(
        {{"/usr/bin/env", "-i", "-C", "/proc", "LKROOT=" + lifekeeper_.root(),
          "GENAPP_RUN_DIR=" + node_.run_dir(), "GENAPP_CONFIG_DIR=" + node_.config_dir(),
          "GENAPP_LK_DEFAULTS=" + defaults(), copy, "-t", "lb", "-i", "app1", "--", "further"}});
  };
  const Result restored = call(restore);
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_THAT(restored.err, HasSubstr("BEGIN restore of \"lb\""));
  in_state("ISP");
  EXPECT_EQ(call(quick_check).exit_code, 0);
  EXPECT_EQ(call(recover).exit_code, 0);
  EXPECT_EQ(call(remove).exit_code, 0);
  EXPECT_THAT(node_.run_files(), IsEmpty());
}

class LifeKeeperTimeout : public LifeKeeperTest {
 protected:
  // The seconds for which restore waited in vain.
  std::string waited() const {
    const Result result = run("restore");
    EXPECT_EQ(result.exit_code, 1) << result.err;
    const auto end = result.err.find(" s (zero connections");
    const auto begin = result.err.rfind(' ', end == std::string::npos ? end : end - 1);
    return end == std::string::npos ? result.err : result.err.substr(begin + 1, end - begin - 1);
  }
};

TEST_F(LifeKeeperTimeout, ComesFromTheEnvironmentTheFileLifeKeeperAndTheSettingsInThisOrder) {
  node_.settings("[lbhc]\nhc_timeout = 0.04\n");
  EXPECT_EQ(waited(), "0.04");
  write_file(defaults(), "LKCHECKINTERVAL=120\nHC_TIMEOUT=\"0.03\"  # seconds\n");
  EXPECT_EQ(waited(), "0.03");
  node_.resource_file("lb", "type = \"lbhc\"\n[lbhc]\nhc_timeout = 0.02\n");
  EXPECT_EQ(waited(), "0.02");
  node_.env["HC_TIMEOUT"] = "0.01";
  EXPECT_EQ(waited(), "0.01");
}

TEST_F(LifeKeeperTimeout, AWrongOneNamesLifeKeepersFileAndLine) {
  for (const std::string value : {"0", "-1", "1e9", "abc", "''", "$X"}) {
    write_file(defaults(), "\nHC_TIMEOUT=" + value + "\n");
    expect_failure(run("restore"), defaults() + ":2: HC_TIMEOUT: ");
  }
}

TEST_F(LifeKeeperTimeout, TheRegistryDoesNotReadLifeKeepersFile) {
  write_file(defaults(), "HC_TIMEOUT=abc\n");
  node_.settings("cluster = \"registry\"\n[lbhc]\nhc_timeout = 0.02\n");
  node_.lbhc("lb", "app1", port_.text());
  EXPECT_EQ(waited(), "0.02");
}

TEST_F(LifeKeeperTest, AFileOfOursAddsKeys) {
  node_.resource_file("lb", "type = \"lbhc\"\n[lbhc]\nwait_first_probe = false\n");
  const Result result = run("restore");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(probe(port_.number()).bytes, "OK");
  EXPECT_THAT(result.err, Not(HasSubstr("LifeKeeper's, which")));
}

TEST_F(LifeKeeperTest, WhereTheFileSaysOtherwiseLifeKeeperHolds) {
  node_.resource_file("lb",
                      "type = \"lbhc\"\nid = \"other\"\ninfo = \"1 no\"\n" + std::string(kNoWait));
  const Result result = run("restore");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(probe(port_.number()).bytes, "OK");
  EXPECT_THAT(result.err, AllOf(HasSubstr("id \"other\" is not LifeKeeper's, which is \"app1\""),
                                HasSubstr("info \"1 no\" is not LifeKeeper's")));
}

TEST_F(LifeKeeperTest, AWrongInfoIsSaidToBeLifeKeepers) {
  lifekeeper_.set("lb", "app1", "", "OSU");
  expect_failure(run("restore"), "LifeKeeper's info of \"lb\": info \"\" has no port");
  node_.resource_file("lb", "type = \"lbhc\"\n");
  expect_failure(run("restore"), "LifeKeeper's info of \"lb\": info \"\" has no port");
}

TEST_F(LifeKeeperTest, AWrongFileNamesItsLine) {
  node_.resource_file("lb", "type = \"lbhc\"\n[lbhc]\nhc_timeuot = 1\n");
  expect_failure(run("restore"), "lb.toml:3: unknown key \"lbhc.hc_timeuot\"");
}

TEST_F(LifeKeeperTest, AnotherIdIsRefusedAndNoneIsTaken) {
  node_.settings(kNoWait);
  lifekeeper_.set("lb", "app2", port_.text(), "OSU");
  expect_failure(run("restore"), "has the id \"app2\" in LifeKeeper, not \"app1\"");
  lifekeeper_.set("lb", "", port_.text(), "OSU");
  EXPECT_EQ(run("restore").exit_code, 0);
}

TEST_F(LifeKeeperTest, GenappShowsWhatLifeKeeperSays) {
  restore();
  const Result status = node_.run({"genapp", "status", "lb"});
  EXPECT_EQ(status.exit_code, 0) << status.err;
  EXPECT_THAT(status.out, AllOf(HasSubstr("app1"), HasSubstr("ISP"), HasSubstr(port_.text())));
  // Without a name, those that have a file.
  EXPECT_THAT(node_.run({"genapp", "status"}).out, HasSubstr("'genapp status TAG'"));
  node_.resource_file("lb", "type = \"lbhc\"\n");
  node_.resource_file("gone", "type = \"lbhc\"\n");
  const Result all = node_.run({"genapp", "status"});
  EXPECT_EQ(all.exit_code, 1);
  EXPECT_THAT(all.out, AllOf(HasSubstr("ISP"), HasSubstr("gone")));
  EXPECT_THAT(all.err, HasSubstr("7 (no such object)"));
  EXPECT_THAT(node_.run({"genapp", "list"}).out, HasSubstr(port_.text() + " OK"));
  const Result missing = node_.run({"genapp", "status", "nosuch"});
  expect_failure(missing, "7 (no such object): LifeKeeper has no resource \"nosuch\"");
}

TEST_F(LifeKeeperTest, LbhcdServesAndLeavesTheStateAlone) {
  node_.settings(kNoWait);
  Process lbhcd(node_.command({"lbhcd", "-t", "lb", "-i", "app1"}));
  ASSERT_TRUE(wait_until([&] { return accepts(port_.number()); })) << lbhcd.err();
  EXPECT_FALSE(node_.has("app1.state"));
  EXPECT_EQ(lbhcd.stop().exit_code, 0);
  EXPECT_THAT(node_.run_files(), testing::ElementsAre("app1.lock"));
}

// LifeKeeper does not count a quickCheck that it had to kill, whatever it was that took so long.
TEST_F(LifeKeeperTest, AScriptsQuickCheckHasNoMoreTimeForASlowInsList) {
  const std::string script = folder_ / "script";
  write_file(script, "#!/bin/sh\nexec sleep 0.7\n");
  std::filesystem::permissions(script, std::filesystem::perms(0755));
  node_.resource_file("lb",
                      "type = \"script\"\n[script]\nrestore = [\"/bin/true\"]\nremove = "
                      "[\"/bin/true\"]\nquickcheck_timeout = 1\nquickcheck = [\"" +
                          script + "\"]\n");
  in_state("ISP");
  lifekeeper_.replace("#!/bin/sh\nsleep 0.5\ncat ${0%/bin/ins_list}/records/lb\n");
  const Result check = node_.action("quickCheck", "lb", "app1");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, HasSubstr("and was ended"));
}

// What stops a script resource may go by its info: without it the script does not run.
TEST_F(LifeKeeperTest, AScriptsRemoveFailsWhileInsListGivesNoInfo) {
  const std::string script = folder_ / "script";
  write_file(script, "#!/bin/sh\necho \"$GENAPP_INFO\" >> '" + (folder_ / "stopped") + "'\n");
  std::filesystem::permissions(script, std::filesystem::perms(0755));
  node_.resource_file("lb", "type = \"script\"\n[script]\nrestore = [\"/bin/true\"]\nremove = [\"" +
                                script + "\"]\n");
  EXPECT_EQ(node_.action("restore", "lb", "app1").exit_code, 0);
  in_state("ISP");
  lifekeeper_.remove("lb");
  const Result removed = node_.action("remove", "lb", "app1");
  EXPECT_EQ(removed.exit_code, 1);
  EXPECT_EQ(count_of(removed.err, "error: "), 1u) << removed.err;
  EXPECT_EQ(read_file(folder_ / "stopped"), "");
  in_state("ISP");
  EXPECT_EQ(node_.action("remove", "lb", "app1").exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "stopped"), port_.text() + " OK\n");
}

struct WrongInsList {
  const char* name;
  void (*make)(InsListStandIn&);
  std::string part;
};

void PrintTo(const WrongInsList& wrong, std::ostream* out) { *out << wrong.name; }

std::string record(const std::string& tag, const std::string& state) {
  return "n\x01gen\x01"
         "app\x01" +
         tag +
         "\x01"
         "app1\x01"
         "54321 OK\x01" +
         state + "\n";
}

class LifeKeeperBadInput : public LifeKeeperTest,
                           public testing::WithParamInterface<WrongInsList> {};

// Everything but remove says what is wrong; remove stops the daemon all the same.
TEST_P(LifeKeeperBadInput, IsOneClearLineAndDoesNotKeepRemoveFromItsWork) {
  restore();
  node_.settings("cluster = \"lifekeeper\"\n" + std::string(kNoWait));
  GetParam().make(lifekeeper_);
  for (const std::string action : {"restore", "quickCheck", "recover"}) {
    expect_failure(run(action), GetParam().part);
  }
  EXPECT_TRUE(accepts(port_.number()));
  for (const std::string state : {"with a daemon", "without"}) {
    const Result removed = run("remove");
    EXPECT_EQ(removed.exit_code, 0) << state << removed.err;
    EXPECT_THAT(removed.err, AllOf(HasSubstr(GetParam().part), HasSubstr("by the id alone")));
  }
  EXPECT_FALSE(accepts(port_.number()));
  EXPECT_THAT(node_.run_files(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    InsList, LifeKeeperBadInput,
    testing::Values(
        WrongInsList{"Missing", [](InsListStandIn& it) { it.uninstall(); },
                     "can't be started: No such file or directory: is LifeKeeper installed"},
        WrongInsList{"NotExecutable", [](InsListStandIn& it) { it.make_unexecutable(); },
                     "not executable: chmod +x it: is LifeKeeper installed there? Set LKROOT"},
        WrongInsList{"Hanging", [](InsListStandIn& it) { it.replace("#!/bin/sh\nsleep 1000\n"); },
                     "gave no answer within 2 s: is LifeKeeper running?"},
        WrongInsList{"Killed", [](InsListStandIn& it) { it.replace("#!/bin/sh\nkill -9 $$\n"); },
                     "was ended by signal 9"},
        WrongInsList{"Garbage", [](InsListStandIn& it) { it.set_raw("lb", "\x7f\xff garbage\n"); },
                     "\"\\x7f\\xff garbage\", which is no record: 1 fields, at least 7"},
        WrongInsList{
            "TwoRecords",
            [](InsListStandIn& it) { it.set_raw("lb", record("lb", "ISP") + record("lb", "OSU")); },
            "more than one record for the tag \"lb\""},
        WrongInsList{"OtherTag", [](InsListStandIn& it) { it.set_raw("lb", record("lb2", "ISP")); },
                     "a record of the tag \"lb2\", not of \"lb\""},
        WrongInsList{"OtherState", [](InsListStandIn& it) { it.set_raw("lb", record("lb", "UP")); },
                     "the state \"UP\", which is none of ISP, ISU, OSU, OSF"},
        WrongInsList{"Nothing", [](InsListStandIn& it) { it.set_raw("lb", ""); },
                     "printed no record"},
        WrongInsList{"NoSuchObject", [](InsListStandIn& it) { it.remove("lb"); },
                     "exit code 7 (no such object): LifeKeeper has no resource \"lb\""},
        WrongInsList{
            "SystemError",
            [](InsListStandIn& it) { it.replace("#!/bin/sh\necho 'core is down' >&2\nexit 1\n"); },
            "exit code 1 (system error): is LifeKeeper running?"},
        WrongInsList{"Endless",
                     [](InsListStandIn& it) { it.replace("#!/bin/sh\nhead -c 99999 /dev/zero\n"); },
                     "printed more than 65536 bytes"},
        WrongInsList{"OtherId", [](InsListStandIn& it) { it.set("lb", "app9", "54321", "ISP"); },
                     "has the id \"app9\" in LifeKeeper, not \"app1\""}),
    [](const auto& tested) { return std::string(tested.param.name); });

// The standby keeps its own answer: an ins_list that leaves a process behind hangs nobody.
TEST_F(LifeKeeperTest, AnInsListThatLeavesAProcessBehindIsNotWaitedFor) {
  lifekeeper_.replace("#!/bin/sh\nsleep 1000 &\ncat ${0%/bin/ins_list}/records/lb\n");
  const Result result = run("quickCheck");
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

}  // namespace
}  // namespace genapp::tests
