// A daemon that root starts goes on as the user genapp; and what others can do to it and with its
// run directory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "tests/e2e/namespace.hpp"
#include "tests/e2e/two_nodes.hpp"
#include "tests/support/node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;

#ifdef GENAPP_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// Of no account of this machine.
const std::string kUser = "61961";
const std::string kGroup = "61962";
constexpr std::uint16_t kLowPort = 80;

// A machine that has the user genapp, with a network of its own. Programs and run directory are
// called /mnt inside, since that user may not be allowed to enter where they really are.
class Privileges : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0u)
        << "run as root: only root can change users (GENAPP_E2E=off leaves these tests out)";
    const std::string folder = std::filesystem::path(node_.run_dir()).parent_path().string();
    for (const std::string name : {"restore", "remove", "quickCheck", "lbhcd", "ocf/lbhc"}) {
      std::filesystem::copy_file(program(name), folder + "/" + name.substr(name.rfind('/') + 1));
    }
    write_file(folder + "/passwd", read_file("/etc/passwd") + "genapp:x:" + kUser + ":" + kGroup +
                                       "::/nonexistent:/usr/sbin/nologin\n");
    host_.emplace(Namespace::Network::own, "mount --bind " + folder +
                                               " /mnt\n"
                                               "mount --bind /mnt/passwd /etc/passwd\n"
                                               "mkdir /mnt/log; chmod 755 /mnt\n");
    shell("chgrp " + kGroup + " $RUN; chmod 0775 $RUN");
    describe("");
  }

  void describe(const std::string& settings) {
    write_file(node_.config_dir() + "/genapp.toml",
               "log_file = \"/mnt/log/lbhcd.log\"\n" + settings);
    node_.lbhc(kTag, kId, std::to_string(kLowPort) + " OK",
               "wait_first_probe = false\nhc_timeout = 0.3\n");
  }

  Result act(const std::string& action) const {
    return run(inside({"/mnt/" + action, "-t", kTag, "-i", kId}));
  }
  // As the user with this number and, if it is genapp, its group.
  Result as(const std::string& user, const std::string& script) const {
    return run(inside({"setpriv", "--reuid", user, "--regid", user == kUser ? kGroup : user,
                       "--clear-groups", "sh", "-ec", "RUN=/mnt/run; " + script}));
  }
  std::string shell(const std::string& script) const {
    return host_->shell("RUN=/mnt/run; PID=$(cut -d' ' -f1 $RUN/app1.pid 2>/dev/null || :)\n" +
                        script);
  }
  std::string answer() const { return shell("nc -w 5 127.0.0.1 80"); }
  std::string status_line(const std::string& key) const {
    return shell("sed -n 's/^" + key + ":\t//p' /proc/$PID/status");
  }
  std::string log() const { return read_file(log_path()); }
  std::string log_path() const {
    return std::filesystem::path(node_.run_dir()).parent_path().string() + "/log/lbhcd.log";
  }

  Command inside(std::vector<std::string> argv) const {
    Command command{std::move(argv)};
    command.env = {{"GENAPP_RUN_DIR", "/mnt/run"}, {"GENAPP_CONFIG_DIR", "/mnt/etc"}};
    command.unset = {"HC_TIMEOUT"};
    return host_->inside(std::move(command));
  }

  Node node_;
  std::optional<Namespace> host_;
};

TEST_F(Privileges, RootsDaemonHasNoneWhileItServes) {
  ASSERT_TRUE(succeeded(act("restore")));
  EXPECT_EQ(answer(), "OK") << "on a port that only root may open";
  const auto four = [](const std::string& id) {
    return id + "\t" + id + "\t" + id + "\t" + id + "\n";
  };
  EXPECT_EQ(status_line("Uid"), four(kUser));
  EXPECT_EQ(status_line("Gid"), four(kGroup));
  EXPECT_EQ(status_line("Groups"), kGroup + " \n");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_EQ(status_line(set), "0000000000000000\n") << set;
  }
  EXPECT_EQ(status_line("NoNewPrivs"), "1\n");
  EXPECT_EQ(status_line("Seccomp"), kSanitized ? "0\n" : "2\n");
  EXPECT_THAT(log(), HasSubstr("confined: user genapp"));
}

TEST_F(Privileges, TheUsersDaemonRaisesItsFlagClearsItAndLeavesNothing) {
  ASSERT_TRUE(succeeded(act("restore")));
  ASSERT_TRUE(wait_until([&] { return node_.has("app1-hc-ng"); }));
  EXPECT_EQ(act("quickCheck").exit_code, 1);
  ASSERT_EQ(answer(), "OK");
  EXPECT_FALSE(node_.has("app1-hc-ng"));
  EXPECT_TRUE(succeeded(act("quickCheck")));
  ASSERT_TRUE(succeeded(act("remove")));
  EXPECT_THAT(node_.run_files(), testing::IsEmpty());
}

TEST_F(Privileges, LbhcdRecordsItsStateAsTheUser) {
  Process lbhcd(inside({"/mnt/lbhcd", "-t", kTag, "-i", kId}));
  ASSERT_TRUE(wait_until([&] { return node_.has("app1.state"); }));
  EXPECT_EQ(status_line("Uid").substr(0, kUser.size()), kUser);
  EXPECT_THAT(read_file(node_.run_file("app1.state")), testing::StartsWith("ISP"));
  shell("kill $PID");
  EXPECT_EQ(lbhcd.wait().exit_code, 0);
  EXPECT_THAT(node_.run_files(), testing::ElementsAre("app1.lock"));
}

// logrotate makes the new file with the old one's owner.
TEST_F(Privileges, TheUserOpensItsRotatedLog) {
  ASSERT_TRUE(succeeded(act("restore")));
  shell("cd /mnt/log; mv lbhcd.log old; install -o " + kUser +
        " -m 0644 /dev/null lbhcd.log; kill -HUP $PID");
  EXPECT_TRUE(wait_until([&] {
    answer();
    shell("sleep 0.4");
    return log().find("no probe for") != std::string::npos;
  }));
}

TEST_F(Privileges, ALogThatItCanNotOpenAnewStaysInUseAndSaysSo) {
  ASSERT_TRUE(succeeded(act("restore")));
  shell("cd /mnt/log; mv lbhcd.log old; kill -HUP $PID");
  const std::string old = std::filesystem::path(log_path()).parent_path().string() + "/old";
  EXPECT_TRUE(wait_until([&] {
    return read_file(old).find("/mnt/log/lbhcd.log for writing: Permission denied") !=
           std::string::npos;
  })) << read_file(old);
  EXPECT_EQ(answer(), "OK");
}

TEST_F(Privileges, UserRootKeepsRoot) {
  describe("user = \"root\"\n");
  ASSERT_TRUE(succeeded(act("restore")));
  EXPECT_EQ(status_line("Uid"), "0\t0\t0\t0\n");
  EXPECT_THAT(log(), HasSubstr("confined: user root"));
}

// A fail-over must not fail for it, and is not silent about it.
TEST_F(Privileges, ARunDirectoryOfRootsAloneKeepsTheDaemonRootWithAWarning) {
  shell("chgrp 0 $RUN; chmod 0755 $RUN");
  ASSERT_TRUE(succeeded(act("restore")));
  EXPECT_EQ(status_line("Uid"), "0\t0\t0\t0\n");
  EXPECT_THAT(log(), HasSubstr("warning: staying root: the run directory /mnt/run"));
  EXPECT_EQ(shell("stat -c '%g %a' $RUN"), "0 755\n");
}

TEST_F(Privileges, ButIsAnErrorWhereTheUserWasAskedFor) {
  describe("user = \"genapp\"\n");
  shell("chgrp 0 $RUN; chmod 0755 $RUN");
  const Result result = act("restore");
  EXPECT_TRUE(failed_with_1(result));
  EXPECT_THAT(result.err, HasSubstr("can't be written by the user \"genapp\""));
  EXPECT_FALSE(node_.has("app1.pid"));
  EXPECT_FALSE(node_.has("app1.sock"));
}

// Called on nodes that nobody prepared.
TEST_F(Privileges, ARunDirectoryThatTheOcfAgentMakesIsTheUsersToo) {
  shell("rmdir $RUN");
  Command start = inside({"/mnt/lbhc", "start"});
  start.env["OCF_RESOURCE_INSTANCE"] = "lb";
  start.env["OCF_RESKEY_port"] = std::to_string(kLowPort);
  start.env["OCF_RESKEY_wait_first_probe"] = "false";
  ASSERT_TRUE(succeeded(run(start)));
  EXPECT_EQ(shell("stat -c '%u %g %a' $RUN"), "0 " + kGroup + " 770\n");
  EXPECT_EQ(shell("stat -c %u $RUN/lb.pid"), kUser + "\n");
  start.argv.back() = "stop";
  EXPECT_TRUE(succeeded(run(start)));
}

// Another user of the machine.
TEST_F(Privileges, AnotherUserCanNeitherAskNorStopNorChangeAnything) {
  ASSERT_TRUE(succeeded(act("restore")));
  const std::string before = shell("ls -ln --time-style=+ $RUN | grep -v -e hc-ng -e ^total");
  for (const char* script :
       {"echo 'drain 1' | nc -U $RUN/app1.sock", "cat $RUN/app1.pid", "touch $RUN/app1-hc-ng",
        "rm -f $RUN/app1.pid", "ln $RUN/app1.pid $RUN/app2.pid", ": > $RUN/app1.lock"}) {
    EXPECT_NE(as("65534", script).exit_code, 0) << script;
  }
  const std::string pid = shell("echo -n $PID");
  EXPECT_NE(as("65534", "kill -9 " + pid).exit_code, 0);
  EXPECT_NE(as("65534", "cat /proc/" + pid + "/environ").exit_code, 0);
  EXPECT_EQ(shell("ls -ln --time-style=+ $RUN | grep -v -e hc-ng -e ^total"), before);
  EXPECT_EQ(answer(), "OK");
}

// The user genapp, taken over: it can end and fake what is its own, and no more.
TEST_F(Privileges, TheUserCanNotHaveRootSignalAnothersProcess) {
  Process victim(inside({"sh", "-c", "echo -n $$ > /mnt/victim; exec sleep 60"}));
  ASSERT_TRUE(succeeded(act("restore")));
  ASSERT_TRUE(wait_until([&] { return !shell("cat /mnt/victim || :").empty(); }));
  const std::string pid = shell("cat /mnt/victim");
  // The daemon keeps its lock; its file names somebody else.
  ASSERT_EQ(
      as(kUser, "echo \"" + pid + " $(awk '{print $22}' /proc/" + pid + "/stat)\" > $RUN/app1.pid")
          .exit_code,
      0);
  const Result result = act("remove");
  EXPECT_TRUE(failed_with_1(result));
  EXPECT_THAT(result.err, HasSubstr("is held, but not by the process the file names"));
  EXPECT_TRUE(victim.running());
}

TEST_F(Privileges, TheUserCanNotHaveRootWriteOrWaitElsewhere) {
  shell("echo untouched > /mnt/victim; chmod 600 /mnt/victim");
  struct Trap {
    const char* script;
    bool started;  // or refused with an error
  };
  for (const Trap& trap :
       {Trap{"ln -s /mnt/victim $RUN/app1.pid", false},
        Trap{"ln -s /mnt/victim $RUN/app1.lock", false}, Trap{"mkfifo $RUN/app1.pid", false},
        Trap{"ln -s /mnt/victim $RUN/app1.state", true}, Trap{"mkfifo $RUN/.app1.state.new", true},
        Trap{"ln -s /mnt/victim $RUN/app1-hc-ng", true},
        Trap{"ln -s /mnt/victim $RUN/app1.sock", true}, Trap{"mkfifo $RUN/app1.sock", true}}) {
    SCOPED_TRACE(trap.script);
    ASSERT_EQ(as(kUser, trap.script).exit_code, 0);
    EXPECT_EQ(act("restore").exit_code, trap.started ? 0 : 1);
    act("remove");
    shell("rm -rf $RUN/* $RUN/.app1*");
  }
  EXPECT_EQ(shell("cat /mnt/victim"), "untouched\n");
}

}  // namespace
}  // namespace genapp::tests
