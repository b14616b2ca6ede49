// The chain of the seed (004, "Settings"): exec 1 is the application, exec 2 the command that
// monitors it, and the death of that command is what the cluster sees.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>

#include "tests/e2e/monitors.hpp"
#include "tests/e2e/nginx.hpp"
#include "tests/support/node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

namespace fs = std::filesystem;

class Chain : public testing::Test {
 protected:
  Chain() {
    // One process, so that what stops it stops all of it.
    nginx.configure("daemon off;\nmaster_process off;\n");
    // By TMPDIR test.sh finds what a test left running.
    node.settings("[script]\npass_environment = [\"TMPDIR\"]\n");
    resource("exec1", "exec nginx -e /dev/stderr -c '" + nginx.config() + "'", "exit 0");
    resource("exec2",
             "exec " + program("httpmon") + " httpwatch -s 127.0.0.1 -n " +
                 std::to_string(nginx.port()) + " -i 0.1 -r 1 -c 2",
             program("httpmon") + " httpwatch --stop");
  }
  ~Chain() override {
    for (const char* const tag : {"exec2", "exec1"}) act("remove", tag);
  }

  // Its restore is the application itself.
  void resource(const std::string& tag, const std::string& start, const std::string& stop) {
    const std::string scripts = folder / tag;
    fs::create_directory(scripts);
    const std::string environment = "PATH=/usr/sbin:/usr/bin:/sbin:/bin GENAPP_RUN_DIR='" +
                                    node.run_dir() + "'\n" + "export PATH GENAPP_RUN_DIR\n";
    for (const auto& [name, body] : {std::pair{"restore", start}, std::pair{"remove", stop}}) {
      write_file(scripts + "/" + name, "#!/bin/sh\n" + environment + body + "\n");
      fs::permissions(scripts + "/" + name, fs::perms(0755));
    }
    node.resource_file(tag, "type = \"script\"\nid = \"" + tag + "\"\n[script]\nfolder = \"" +
                                scripts +
                                "\"\nstart = \"async\"\nstarted_after = 0.2\nrestart = true\n");
  }
  Result act(const std::string& action, const std::string& tag) const {
    return node.action(action, tag, tag);
  }
  pid_t nginx_pid() const { return std::atoi(read_file(nginx.pid_file()).c_str()); }
  void send_nginx(int signal) const {
    ASSERT_GT(nginx_pid(), 1);
    ASSERT_EQ(::kill(nginx_pid(), signal), 0);
  }
  std::string monitor_state() const { return node.run({"httpmon", "httpwatch", "--disp"}).out; }

  void restore_both() {
    for (const char* const tag : {"exec1", "exec2"}) {
      const Result restored = act("restore", tag);
      ASSERT_EQ(restored.exit_code, 0) << restored.err;
    }
    ASSERT_TRUE(nginx.serves());
    ASSERT_TRUE(wait_until([this] { return act("quickCheck", "exec2").exit_code == 0; }));
    EXPECT_EQ(act("quickCheck", "exec1").exit_code, 0);
  }
  void expect_the_monitor_to_end() {
    ASSERT_TRUE(wait_until([this] { return act("quickCheck", "exec2").exit_code == 1; }));
    // Its supervisor first sees the end, then tells how.
    EXPECT_TRUE(wait_until([this] {
      return act("quickCheck", "exec2").err.find("exited with 2") != std::string::npos;
    })) << act("quickCheck", "exec2").err;
  }
  void remove_both() {
    for (const char* const tag : {"exec2", "exec1"}) {
      const Result removed = act("remove", tag);
      EXPECT_EQ(removed.exit_code, 0) << removed.err;
    }
  }

  TempDir folder;
  Nginx nginx;
  Node node;
};

TEST_F(Chain, AStallOfTheApplicationEndsTheMonitorAndARecoverBringsItBack) {
  ASSERT_NO_FATAL_FAILURE(restore_both());
  const pid_t pid = nginx_pid();
  send_nginx(SIGSTOP);
  expect_the_monitor_to_end();
  EXPECT_THAT(act("quickCheck", "exec2").err,
              HasSubstr("httpmon detected an error and will be terminated. [ID:httpwatch]"));
  EXPECT_THAT(node.log(), HasSubstr("select error"));  // what came before it
  // The process itself is there: that is why somebody has to ask it.
  EXPECT_EQ(act("quickCheck", "exec1").exit_code, 0);

  send_nginx(SIGCONT);
  const Result recovered = act("recover", "exec2");
  EXPECT_EQ(recovered.exit_code, 0) << recovered.err;
  EXPECT_EQ(act("quickCheck", "exec2").exit_code, 0);
  EXPECT_THAT(monitor_state(), ContainsRegex("state: *(monitoring|checking)"));

  remove_both();
  EXPECT_FALSE(process_exists(pid));
  EXPECT_THAT(node.run_files(), testing::ElementsAre("monitors"));
  EXPECT_EQ(node.run({"httpmon", "httpwatch", "--disp"}).exit_code, 1);
  EXPECT_THAT(fs::directory_iterator(node.run_file("monitors"))->path().filename().string(),
              ".locks");
}

TEST_F(Chain, TheDeathOfTheApplicationEndsTheMonitor) {
  ASSERT_NO_FATAL_FAILURE(restore_both());
  send_nginx(SIGKILL);
  expect_the_monitor_to_end();
  EXPECT_EQ(act("quickCheck", "exec1").exit_code, 1);
  for (const char* const tag : {"exec1", "exec2"}) {
    const Result recovered = act("recover", tag);
    EXPECT_EQ(recovered.exit_code, 0) << recovered.err;
    EXPECT_EQ(act("quickCheck", tag).exit_code, 0);
  }
  EXPECT_TRUE(nginx.serves());
}

TEST_F(Chain, AStoppedMonitorIsNoFailureOfTheServer) {
  ASSERT_NO_FATAL_FAILURE(restore_both());
  EXPECT_EQ(node.run({"httpmon", "httpwatch", "--stop"}).exit_code, 0);
  ASSERT_TRUE(wait_until([this] {
    return act("quickCheck", "exec2").err.find("exited with 0") != std::string::npos;
  }));
  EXPECT_EQ(act("quickCheck", "exec1").exit_code, 0);
}

}  // namespace
}  // namespace genapp::tests
