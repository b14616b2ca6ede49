// The templates for web and mail servers and for monitors beside them, in the order of a user's
// life: restore and remove of a resource whose scripts they are. Then bad input, to the scripts
// themselves. templates/generic: generic_template_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/e2e/apps.hpp"
#include "tests/e2e/mta.hpp"
#include "tests/e2e/nginx.hpp"
#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/process.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

// A process that no script has started.
Process stranger() { return Process(Command{{"sleep", "600"}}); }

// Its record with another start time: as if it had been given the number of a dead process.
std::string stale_record(pid_t pid) {
  std::string boot = read_file("/proc/sys/kernel/random/boot_id");
  return std::to_string(pid) + " 1 " + boot;
}

class HttpTemplate : public testing::Test {
 protected:
  HttpTemplate() {
    apps.add("http", "web");
    apps.set("web", "HTTP_CONFIG", nginx.config());
    apps.set("web", "HTTP_PID_FILE", nginx.pid_file());
  }
  Result restore(const std::map<std::string, std::string>& env = {}) {
    return apps.action("restore", "web", env);
  }
  Result remove(const std::map<std::string, std::string>& env = {}) {
    return apps.action("remove", "web", env);
  }
  // The scripts themselves.
  Result start(const std::map<std::string, std::string>& env = {}) {
    return apps.run("web", "start.sh", env);
  }
  Result stop() { return apps.run("web", "stop.sh"); }
  void start_well() {
    const Result result = restore();
    ASSERT_EQ(result.exit_code, 0) << result.err;
    ASSERT_TRUE(nginx.serves());
  }
  void expect_stop() {
    const Result result = remove();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_FALSE(accepts(nginx.port()));
    EXPECT_TRUE(apps.left_nothing("web"));
    EXPECT_FALSE(std::filesystem::exists(nginx.pid_file()));
  }

  Nginx nginx;
  Apps apps;
};

TEST_F(HttpTemplate, StartsServesAndStops) {
  start_well();
  EXPECT_EQ(apps.action("quickCheck", "web").exit_code, 0);
  expect_stop();
}

// docs/templates.md says so.
TEST_F(HttpTemplate, IsNotWatchedOrRecoveredWithoutTheUsersOwn) {
  start_well();
  ASSERT_EQ(stop().exit_code, 0);  // behind the cluster's back
  EXPECT_EQ(apps.action("quickCheck", "web").exit_code, 0);
  const Result recovered = apps.action("recover", "web");
  EXPECT_EQ(recovered.exit_code, 1);
  EXPECT_THAT(recovered.err, HasSubstr("it has no recover"));
  EXPECT_FALSE(nginx.serves());
  expect_stop();
}

TEST_F(HttpTemplate, AFailedRestoreSaysWhyAndIsRemoved) {
  nginx.configure("no_such_directive on;\n");
  const Result result = restore();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no_such_directive"));
  expect_stop();
  nginx.configure();
  start_well();
  expect_stop();
}

TEST_F(HttpTemplate, SecondStartChangesNothing) {
  start_well();
  const pid_t pid = apps.process("web");
  const Result again = restore();
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("already running"));
  EXPECT_EQ(apps.process("web"), pid);
  EXPECT_TRUE(nginx.serves());
  expect_stop();
}

TEST_F(HttpTemplate, StopWhenStoppedIsNoFailure) {
  expect_stop();
  start_well();
  expect_stop();
  expect_stop();
}

TEST_F(HttpTemplate, NextStartIsNotHitByTheStop) {
  for (int round = 0; round < 5; ++round) {
    start_well();
    expect_stop();
  }
  start_well();
}

TEST_F(HttpTemplate, TheServerHoldsNothingOfTheScript) {
  start_well();
  const std::string folder = "/proc/" + std::to_string(apps.process("web")) + "/fd/";
  EXPECT_EQ(std::filesystem::read_symlink(folder + "0"), "/dev/null");
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string held = std::filesystem::read_symlink(entry.path());
    EXPECT_THAT(held, Not(HasSubstr("memfd")));  // ours
    EXPECT_THAT(held, Not(HasSubstr("pipe:")));  // restore's
  }
}

TEST_F(HttpTemplate, TellsWhatTheClusterSaid) {
  const Result result = restore(
      {{"CLP_EVENT", "FAILOVER"}, {"CLP_SERVER", "OTHER"}, {"CLP_FACTOR", "GROUPFAILOVER"}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err,
              HasSubstr("CLP_EVENT=FAILOVER CLP_SERVER=OTHER CLP_FACTOR=GROUPFAILOVER"));
  EXPECT_TRUE(nginx.serves());
}

TEST_F(HttpTemplate, StartsWithoutACluster) {
  // Nothing but a path in the environment, as by hand.
  Command by_hand{{"env", "--ignore-environment", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                   apps.folder() + "/web/start.sh"}};
  const Result result = run(by_hand);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(nginx.serves());
}

TEST_F(HttpTemplate, DoesNotStartOnFailedDisksButStops) {
  const Result result = restore({{"CLP_DISK", "FAILURE"}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("CLP_DISK"));
  EXPECT_FALSE(nginx.serves());
  start_well();
  EXPECT_EQ(remove({{"CLP_DISK", "FAILURE"}}).exit_code, 0);
  EXPECT_FALSE(accepts(nginx.port()));
}

TEST_F(HttpTemplate, DoesNotStartWhenTheServerIsBackInTheCluster) {
  EXPECT_EQ(start({{"CLP_EVENT", "RECOVER"}}).exit_code, 0);
  EXPECT_FALSE(accepts(nginx.port()));
}

TEST_F(HttpTemplate, UnknownEventIsAnError) {
  const Result result = start({{"CLP_EVENT", "REBOOT"}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("REBOOT"));
  EXPECT_FALSE(accepts(nginx.port()));
}

TEST_F(HttpTemplate, StopsWhatACrashLeft) {
  start_well();
  apps.crash("web");
  ASSERT_TRUE(nginx.serves());  // its workers live on
  expect_stop();
}

TEST_F(HttpTemplate, StartsAfterACrash) {
  start_well();
  apps.crash("web");
  start_well();
  expect_stop();
}

TEST_F(HttpTemplate, KillsAHungServer) {
  apps.set("web", "HTTP_STOP_TIMEOUT", "1");
  start_well();
  apps.signal("web", SIGSTOP);
  const Result result = remove();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("KILL"));
  EXPECT_FALSE(accepts(nginx.port()));
}

TEST_F(HttpTemplate, SparesAStrangerWithTheNumber) {
  Process other = stranger();
  write_file(apps.record("web"), stale_record(other.pid()));
  write_file(nginx.pid_file(), std::to_string(other.pid()) + "\n");
  const Result result = remove();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("left alone"));
  EXPECT_TRUE(other.running());

  write_file(apps.record("web"), stale_record(other.pid()));
  write_file(nginx.pid_file(), std::to_string(other.pid()) + "\n");
  start_well();
  EXPECT_TRUE(other.running());
  expect_stop();
  EXPECT_TRUE(other.running());
}

TEST_F(HttpTemplate, RecordOfAnotherBootIsStale) {
  start_well();
  const pid_t pid = apps.process("web");
  std::string record = read_file(apps.record("web"));
  const std::string boot = read_file("/proc/sys/kernel/random/boot_id").substr(0, 36);
  record.replace(record.find(boot), boot.size(), "00000000-0000-0000-0000-000000000000");
  const std::string ours = read_file(apps.record("web"));
  write_file(apps.record("web"), record);
  EXPECT_EQ(stop().exit_code, 0);
  EXPECT_TRUE(process_exists(pid));
  write_file(apps.record("web"), ours);
  expect_stop();
}

TEST_F(HttpTemplate, DamagedRecordIsNoProcess) {
  for (const char* damaged : {"", "\n", "-1 5 x\n", "0 0 0\n", "1\n", "abc\n", "1 2 3 4 5 6\n"}) {
    write_file(apps.record("web"), damaged);
    EXPECT_EQ(stop().exit_code, 0) << damaged;
    write_file(apps.record("web"), damaged);
    start_well();
    expect_stop();
  }
}

TEST_F(HttpTemplate, AnotherServerOnThePortIsNamedAndSpared) {
  Process other(Command{{"nc", "-l", "-k", "127.0.0.1", std::to_string(nginx.port())}});
  ASSERT_TRUE(wait_until([&] { return accepts(nginx.port()); }));
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("Address already in use"));
  EXPECT_TRUE(apps.left_nothing("web"));
  EXPECT_EQ(stop().exit_code, 0);
  EXPECT_TRUE(other.running());
}

TEST_F(HttpTemplate, ConfigurationErrorIsNamed) {
  nginx.configure("no_such_directive on;\n");
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no_such_directive"));
  EXPECT_THAT(result.err, HasSubstr(nginx.config() + ":1"));
  EXPECT_TRUE(apps.left_nothing("web"));
}

TEST_F(HttpTemplate, ConfigurationErrorDoesNotKeepFromStopping) {
  start_well();
  nginx.configure("no_such_directive on;\n");
  expect_stop();
}

TEST_F(HttpTemplate, WrongPidFileIsNamedAndTheStartUndone) {
  apps.set("web", "HTTP_PID_FILE", apps.path("never.pid"));
  apps.set("web", "HTTP_START_TIMEOUT", "1");
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("not ready after 1 s"));
  EXPECT_FALSE(accepts(nginx.port()));
  EXPECT_TRUE(apps.left_nothing("web"));
}

TEST_F(HttpTemplate, MissingProgramIsNamed) {
  apps.set("web", "HTTP_PROGRAM", "/no/such/nginx");
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/no/such/nginx"));
}

TEST_F(HttpTemplate, ATimeThatIsNoneFailsTheStartButNotTheStop) {
  apps.set("web", "HTTP_START_TIMEOUT", "1m");
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("1m"));
  apps.set("web", "HTTP_START_TIMEOUT", "60");
  start_well();
  apps.set("web", "HTTP_STOP_TIMEOUT", "1m");
  expect_stop();
}

TEST_F(HttpTemplate, UnwritableLogIsNamed) {
  apps.set("web", "HTTP_LOG_FILE", apps.path("no/such/folder/log"));
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no/such/folder/log"));
}

TEST_F(HttpTemplate, UnwritableRecordIsNamed) {
  apps.set("web", "HTTP_RECORD", apps.path("no/such/folder/started"));
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no/such/folder/started"));
  EXPECT_FALSE(accepts(nginx.port()));
}

TEST_F(HttpTemplate, MissingLibraryIsNamed) {
  apps.set("web", "GENAPP_APPS", "/no/such/folder");
  for (const Result& result : {start(), stop()}) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("/no/such/folder/lib/process.sh"));
  }
  apps.set("web", "GENAPP_APPS", apps.folder());
}

// env(1) for GENAPP_APPS, which pass_environment may not name.
TEST(HttpTemplateUnchanged, TakesItsVariablesFromTheEnvironment) {
  Nginx nginx;
  Apps apps;
  const std::map<std::string, std::string> env{{"HTTP_CONFIG", nginx.config()},
                                               {"HTTP_PID_FILE", nginx.pid_file()},
                                               {"HTTP_RECORD", apps.record("web")},
                                               {"HTTP_LOG_FILE", apps.log_file("web")}};
  const auto command = [&apps](const std::string& script) {
    return "[\"/usr/bin/env\", \"GENAPP_APPS=" + apps.folder() + "\", \"" + GENAPP_SOURCE_DIR +
           "/templates/http/" + script + "\"]\n";
  };
  std::string names = "\"TMPDIR\"";
  for (const auto& [name, value] : env) names += ", \"" + name + "\"";
  apps.describe("web", "restore = " + command("start.sh") + "remove = " + command("stop.sh") +
                           "pass_environment = [" + names + "]");
  const Result restored = apps.action("restore", "web", env);
  EXPECT_EQ(restored.exit_code, 0) << restored.err;
  EXPECT_TRUE(nginx.serves());
  const Result removed = apps.action("remove", "web", env);
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_FALSE(accepts(nginx.port()));
  EXPECT_TRUE(apps.left_nothing("web"));
}

class SmtpTemplate : public testing::Test {
 protected:
  SmtpTemplate() {
    apps.add("smtp", "mail");
    apps.set("mail", "SMTP_CONFIG", mta.config());
    apps.set("mail", "SMTP_PID_FILE", mta.pid_file());
  }
  Result restore() { return apps.action("restore", "mail"); }
  Result remove() { return apps.action("remove", "mail"); }
  // The script itself.
  Result start() { return apps.run("mail", "start.sh"); }
  void start_well() {
    const Result result = restore();
    ASSERT_EQ(result.exit_code, 0) << result.err;
    ASSERT_THAT(mta.greeting(), testing::StartsWith("220 mta.test"));
  }
  void expect_stop() {
    const Result result = remove();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_FALSE(accepts(mta.port()));
    EXPECT_TRUE(apps.left_nothing("mail"));
    EXPECT_FALSE(std::filesystem::exists(mta.pid_file()));
  }

  Mta mta;
  Apps apps;
};

TEST_F(SmtpTemplate, StartsGreetsAndStops) {
  start_well();
  const pid_t pid = apps.process("mail");
  EXPECT_EQ(restore().exit_code, 0);
  EXPECT_EQ(apps.process("mail"), pid);
  EXPECT_EQ(apps.action("quickCheck", "mail").exit_code, 0);
  EXPECT_EQ(apps.action("recover", "mail").exit_code, 1);
  EXPECT_THAT(mta.greeting(), testing::StartsWith("220 "));
  expect_stop();
  expect_stop();
}

TEST_F(SmtpTemplate, StopsInTheMiddleOfADialogue) {
  start_well();
  Client client("127.0.0.1", mta.port());
  client.send("EHLO client.test\r\n");
  client.receive(std::chrono::milliseconds(100));
  expect_stop();
}

TEST_F(SmtpTemplate, StartsAndStopsAfterACrash) {
  start_well();
  apps.crash("mail");
  start_well();
  apps.crash("mail");
  const Result result = remove();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(apps.left_nothing("mail"));
}

TEST_F(SmtpTemplate, SparesAStrangerWithTheNumber) {
  Process other = stranger();
  write_file(apps.record("mail"), stale_record(other.pid()));
  write_file(mta.pid_file(), std::to_string(other.pid()) + "\n");
  EXPECT_EQ(remove().exit_code, 0);
  EXPECT_TRUE(other.running());
}

TEST_F(SmtpTemplate, AnotherServerOnThePortIsNamedAndSpared) {
  Process other(Command{{"nc", "-l", "-k", "127.0.0.1", std::to_string(mta.port())}});
  ASSERT_TRUE(wait_until([&] { return accepts(mta.port()); }));
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("Address already in use"));
  EXPECT_TRUE(apps.left_nothing("mail"));
  EXPECT_TRUE(other.running());
}

TEST_F(SmtpTemplate, ConfigurationErrorIsNamed) {
  mta.configure("no_such_option = 1\n");
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no_such_option"));
  EXPECT_THAT(result.err, HasSubstr("line 1"));
}

// Both templates for monitors.
class MonitorTemplate : public testing::TestWithParam<std::string> {
 protected:
  MonitorTemplate() { apps.add(GetParam(), "mon"); }
  Result restore(const std::map<std::string, std::string>& env = {}) {
    return apps.action("restore", "mon", env);
  }
  Result remove() { return apps.action("remove", "mon"); }
  // The scripts themselves.
  Result start(const std::map<std::string, std::string>& env = {}) {
    return apps.run("mon", "start.sh", env);
  }
  Result stop() { return apps.run("mon", "stop.sh"); }
  void monitor(const std::string& command) { apps.set("mon", "MONITOR_COMMAND", command); }

  Apps apps;
};

TEST_P(MonitorTemplate, StartsAndStopsWithItsChildren) {
  monitor("echo begins; while :; do sleep 600 & echo $! >" + apps.path("child") + "; wait; done");
  const Result started = restore();
  ASSERT_EQ(started.exit_code, 0) << started.err;
  const pid_t pid = apps.process("mon");
  ASSERT_TRUE(wait_until([&] { return !read_file(apps.path("child")).empty(); }));
  const auto child = static_cast<pid_t>(std::atol(read_file(apps.path("child")).c_str()));
  EXPECT_TRUE(process_exists(pid));
  EXPECT_THAT(apps.log("mon"), HasSubstr("begins"));

  EXPECT_EQ(restore().exit_code, 0);
  EXPECT_EQ(apps.process("mon"), pid);
  EXPECT_EQ(apps.action("quickCheck", "mon").exit_code, 0);
  EXPECT_EQ(apps.action("recover", "mon").exit_code, 1);
  EXPECT_TRUE(process_exists(pid));

  const Result stopped = remove();
  EXPECT_EQ(stopped.exit_code, 0) << stopped.err;
  EXPECT_FALSE(process_exists(pid));
  EXPECT_FALSE(process_exists(child));
  EXPECT_TRUE(apps.left_nothing("mon"));
  EXPECT_EQ(remove().exit_code, 0);
}

TEST_P(MonitorTemplate, StopsWhatACrashLeft) {
  monitor("sleep 600 & echo $! >" + apps.path("child") + "; wait");
  ASSERT_EQ(restore().exit_code, 0);
  ASSERT_TRUE(wait_until([&] { return !read_file(apps.path("child")).empty(); }));
  const auto child = static_cast<pid_t>(std::atol(read_file(apps.path("child")).c_str()));
  apps.crash("mon");
  EXPECT_TRUE(process_exists(child));
  EXPECT_EQ(remove().exit_code, 0);
  EXPECT_FALSE(process_exists(child));
}

TEST_P(MonitorTemplate, TakesTheCommandFromTheEnvironment) {
  const std::string folder = apps.folder() + "/mon/";
  apps.describe("mon", "restore = [\"" + folder + "start.sh\"]\nremove = [\"" + folder +
                           "stop.sh\"]\npass_environment = [\"TMPDIR\", \"MONITOR_COMMAND\"]");
  EXPECT_EQ(restore({{"MONITOR_COMMAND", "exec sleep 600"}}).exit_code, 0);
  EXPECT_TRUE(process_exists(apps.process("mon")));
}

// In the place of the program, one that says how it was called.
TEST_P(MonitorTemplate, IsGenappsOwnUnlessAnotherIsNamed) {
  const std::string protocol = GetParam().substr(0, 4);
  const std::string stand_in = apps.path(protocol + "mon");
  write_file(stand_in, "#!/bin/sh\necho called \"$@\"\nexec sleep 600\n");
  std::filesystem::permissions(stand_in, std::filesystem::perms::owner_all);
  const Result started = start({{"PATH", apps.path("") + ":/usr/bin:/bin"}});
  ASSERT_EQ(started.exit_code, 0) << started.err;
  EXPECT_EQ(apps.log("mon"), "called " + protocol + "watch\n");
  EXPECT_EQ(stop().exit_code, 0);
  EXPECT_TRUE(apps.left_nothing("mon"));
}

TEST_P(MonitorTemplate, WithoutACommandSaysSo) {
  monitor("");
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("MONITOR_COMMAND is not set"));
  EXPECT_TRUE(apps.left_nothing("mon"));
}

TEST_P(MonitorTemplate, OneThatEndsAtOnceFailsWithItsWords) {
  monitor("echo no such host >&2; exit 3");
  const Result result = start();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no such host"));
  EXPECT_TRUE(apps.left_nothing("mon"));
}

TEST_P(MonitorTemplate, OneThatIgnoresTermIsKilled) {
  monitor("trap \"\" TERM; sleep 600; sleep 600");
  apps.set("mon", "MONITOR_STOP_TIMEOUT", "1");
  ASSERT_EQ(restore().exit_code, 0);
  const pid_t pid = apps.process("mon");
  EXPECT_EQ(remove().exit_code, 0);
  EXPECT_FALSE(process_exists(pid));
}

TEST_P(MonitorTemplate, SparesAStrangerWithTheNumber) {
  Process other = stranger();
  write_file(apps.record("mon"), stale_record(other.pid()));
  EXPECT_EQ(remove().exit_code, 0);
  EXPECT_TRUE(other.running());
}

TEST_P(MonitorTemplate, FollowsTheCluster) {
  monitor("exec sleep 600");
  EXPECT_EQ(start({{"CLP_DISK", "FAILURE"}}).exit_code, 1);
  EXPECT_EQ(start({{"CLP_EVENT", "RECOVER"}}).exit_code, 0);
  EXPECT_EQ(apps.process("mon"), 0);
  EXPECT_EQ(start({{"CLP_EVENT", "FAILOVER"}, {"CLP_SERVER", "OTHER"}}).exit_code, 0);
  EXPECT_TRUE(process_exists(apps.process("mon")));
}

INSTANTIATE_TEST_SUITE_P(Both, MonitorTemplate, testing::Values("http-mon", "smtp-mon"),
                         [](const auto& which) {
                           return std::string(which.param == "http-mon" ? "http" : "smtp");
                         });

// The monitor beside the real server.
TEST(MonitorBesideAServer, SeesItComeAndGo) {
  Nginx nginx;
  Apps apps;
  apps.add("http", "web");
  apps.set("web", "HTTP_CONFIG", nginx.config());
  apps.set("web", "HTTP_PID_FILE", nginx.pid_file());
  apps.add("http-mon", "mon");
  apps.set("mon", "MONITOR_COMMAND",
           "while :; do curl -fs " + nginx.url() + " || echo down; sleep 0.1; done");
  ASSERT_EQ(apps.action("restore", "web").exit_code, 0);
  ASSERT_EQ(apps.action("restore", "mon").exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return apps.log("mon").find("ok") != std::string::npos; }));
  EXPECT_EQ(apps.action("remove", "web").exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return apps.log("mon").find("down") != std::string::npos; }));
  EXPECT_EQ(apps.action("remove", "mon").exit_code, 0);
  EXPECT_TRUE(apps.left_nothing("mon"));
}

}  // namespace
}  // namespace genapp::tests
