// A resource of type remote with the real appmgr and the real appserver.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json.hpp>

#include "tests/support/node.hpp"
#include "tests/support/remote_guest.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/text.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class RemotePairResource : public testing::Test {
 protected:
  RemotePairResource() {
    write_file(host_.config_dir() + "/appmgr.toml",
               "port = " + std::to_string(guest_.port()) + "\ncertificate = \"" +
                   guest_.host1().certificate + "\"\nkey = \"" + guest_.host1().key +
                   "\"\nauthorities = \"" + guest_.host1().authorities + "\"\n");
    // Appends its pid when it starts, and runs until it is ended.
    shell("echo $$ >> " + file() + "; exec sleep 1000");
    guest_.start();
  }

  void shell(const std::string& text, const std::string& keys = "") {
    command(R"("/bin/sh", "-c", ")" + text + "\"", keys);
  }
  void command(const std::string& argv, const std::string& keys = "") {
    host_.resource_file("web",
                        "type = \"remote\"\nid = \"web1\"\n[remote]\nnode = \"127.0.0.1\"\n"
                        "started_after = 0.05\ncommand = [" +
                            argv + "]\n" + keys);
  }
  Result run(const std::string& action) const { return host_.action(action, "web", "web1"); }
  void expect(const std::string& action, int exit_code) const {
    const Result result = run(action);
    EXPECT_EQ(result.exit_code, exit_code) << action << ": " << result.err;
  }
  std::string file() const { return folder_ / "pids"; }
  std::size_t starts() const { return count_of(read_file(file()), "\n"); }
  // Of the last start; only once it has told.
  pid_t pid() const {
    EXPECT_TRUE(wait_until([this] { return read_file(file()).ends_with("\n"); }));
    const std::string text = read_file(file());
    const auto line = text.rfind('\n', text.size() - 2);
    return std::stoi(text.substr(line == std::string::npos ? 0 : line + 1));
  }

  TempDir folder_;
  Node host_;
  RemoteGuest guest_;
};

TEST_F(RemotePairResource, LivesItsLifeInTheGuest) {
  expect("quickCheck", 0);  // out of service
  expect("restore", 0);
  const pid_t app = pid();
  EXPECT_TRUE(process_exists(app));
  expect("quickCheck", 0);
  const auto status = boost::json::parse(host_.run({"genapp", "status", "web", "--json"}).out)
                          .at("resources")
                          .at(0);
  EXPECT_EQ(status.at("guest_pid").as_int64(), app);
  // A second one finds it.
  expect("restore", 0);
  EXPECT_EQ(starts(), 1u);
  expect("remove", 0);
  EXPECT_FALSE(process_exists(app));
  EXPECT_THAT(guest_.sessions(), IsEmpty());
  EXPECT_THAT(host_.run_files(), IsEmpty());
  expect("remove", 0);
}

TEST_F(RemotePairResource, ItsEndIsSeenAndItIsStartedAnew) {
  expect("restore", 0);
  const pid_t app = pid();
  ASSERT_EQ(::kill(app, SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] { return run("quickCheck").exit_code == 1; }));
  EXPECT_THAT(run("quickCheck").err,
              HasSubstr("its command has ended on 127.0.0.1, with signal 9 (KILL)"));
  expect("recover", 0);
  expect("quickCheck", 0);
  EXPECT_TRUE(wait_until([&] { return starts() == 2; }));
  // Not what ended before is found, but a new one started.
  ASSERT_EQ(::kill(pid(), SIGKILL), 0);
  ASSERT_TRUE(wait_until([&] { return run("quickCheck").exit_code == 1; }));
  expect("restore", 0);
  EXPECT_TRUE(wait_until([&] { return starts() == 3; }));
  expect("remove", 0);
}

TEST_F(RemotePairResource, AGuestThatIsGoneIsToldAndItsCommandGoesOn) {
  expect("restore", 0);
  const pid_t app = pid();
  guest_.kill();
  const Result checked = run("quickCheck");
  EXPECT_EQ(checked.exit_code, 1);
  EXPECT_THAT(checked.err, HasSubstr("the guest 127.0.0.1 can't be reached"));
  shell("echo $$ >> " + file() + "; exec sleep 1000", "timeout = 1\n");
  const Result removed = run("remove");
  EXPECT_EQ(removed.exit_code, 1);
  EXPECT_THAT(removed.err, AllOf(HasSubstr("the guest 127.0.0.1 can't be reached"),
                                 HasSubstr("its command may still run there")));
  EXPECT_TRUE(process_exists(app));
  guest_.start();
  expect("quickCheck", 0);
  expect("remove", 0);
  EXPECT_FALSE(process_exists(app));
  EXPECT_EQ(starts(), 1u);
}

TEST_F(RemotePairResource, AGuestThatStopsWithItsNodeCountsAsStopped) {
  shell("exec sleep 1000", "timeout = 1\nremove_unreachable = \"ok\"\non_unreachable = \"warn\"\n");
  expect("restore", 0);
  guest_.kill();
  expect("quickCheck", 0);
  const Result removed = run("remove");
  EXPECT_EQ(removed.exit_code, 0) << removed.err;
  EXPECT_THAT(removed.err, HasSubstr("warning: \"web\": the guest 127.0.0.1 can't be reached"));
  EXPECT_THAT(host_.run_files(), IsEmpty());
}

TEST_F(RemotePairResource, AGuestThatHangsIsNotHealthy) {
  expect("restore", 0);
  guest_.freeze();
  const Result checked = run("quickCheck");
  guest_.thaw();
  EXPECT_EQ(checked.exit_code, 1);
  // appmgr itself gives up, before it is ended.
  EXPECT_THAT(checked.err, HasSubstr("the guest 127.0.0.1 can't be reached (appmgr: "));
  expect("quickCheck", 0);
  expect("remove", 0);
}

TEST_F(RemotePairResource, WhatIsNotAllowedOrNotThereIsTold) {
  command(R"("/bin/cat", "/etc/passwd")");
  const Result denied = run("restore");
  EXPECT_EQ(denied.exit_code, 1);
  EXPECT_THAT(denied.err, HasSubstr("the appserver of 127.0.0.1 has refused (appmgr: "));
  command(R"("/nowhere/at/all")");
  const Result absent = run("restore");
  EXPECT_EQ(absent.exit_code, 1);
  EXPECT_THAT(absent.err, HasSubstr("the command could not be started on 127.0.0.1 (appmgr: "));
  expect("remove", 0);
  EXPECT_THAT(guest_.sessions(), IsEmpty());
}

TEST_F(RemotePairResource, AStartThatDoesNotLastHasFailed) {
  host_.resource_file("web",
                      "type = \"remote\"\nid = \"web1\"\n[remote]\nnode = \"127.0.0.1\"\n"
                      "started_after = 30\ncommand = [\"/bin/sh\", \"-c\", \"exit 3\"]\n");
  const Result restored = run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err,
              HasSubstr("its command has ended on 127.0.0.1, with exit code 3, within "
                        "30 s of its start"));
  expect("remove", 0);
  EXPECT_THAT(guest_.sessions(), IsEmpty());
}

TEST_F(RemotePairResource, ACommandThatIgnoresTermIsKilled) {
  shell("trap '' TERM; echo $$ >> " + file() + "; while :; do sleep 0.1; done", "kill_after = 1\n");
  expect("restore", 0);
  const pid_t app = pid();
  expect("remove", 0);
  EXPECT_FALSE(process_exists(app));
}

TEST_F(RemotePairResource, WithoutKeysNothingIsSaidToBeWell) {
  expect("restore", 0);
  write_file(host_.config_dir() + "/appmgr.toml", "port = " + std::to_string(guest_.port()) + "\n");
  shell("exec sleep 1000", "remove_unreachable = \"ok\"\non_unreachable = \"warn\"\n");
  for (const char* action : {"restore", "quickCheck", "recover", "remove"}) {
    const Result result = run(action);
    EXPECT_EQ(result.exit_code, 1) << action;
    EXPECT_THAT(result.err, HasSubstr("tls/appmgr.crt")) << action;
  }
}

TEST_F(RemotePairResource, TheAgentStartsItAndStartsItAnew) {
  host_.settings("[agent.remote]\nmonitor_interval = 0.2\nrestart_limit = 3\n");
  Process agent(host_.command({"genapp-agent"}));
  ASSERT_TRUE(wait_until([&] { return host_.has("agent/sock"); })) << agent.err();
  const Result online = host_.run({"genapp", "online", "web"});
  ASSERT_EQ(online.exit_code, 0) << online.err << agent.err();
  const pid_t app = pid();
  ASSERT_EQ(::kill(app, SIGKILL), 0);
  EXPECT_TRUE(wait_until([&] { return starts() == 2; })) << agent.err();
  const Result offline = host_.run({"genapp", "offline", "web"});
  EXPECT_EQ(offline.exit_code, 0) << offline.err << agent.err();
  EXPECT_FALSE(process_exists(pid()));
  EXPECT_THAT(guest_.sessions(), IsEmpty());
  agent.stop();
}

}  // namespace
}  // namespace genapp::tests
