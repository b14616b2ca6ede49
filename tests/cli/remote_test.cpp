// The real appmgr, the real appserver and its keepers: a user's life with them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <memory>
#include <sstream>

#include "tests/support/process.hpp"
#include "tests/support/remote_guest.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/text.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class Remote : public testing::Test {
 protected:
  Remote() {
    const remote::TlsFiles& files = guest.host1();
    write_file(host.config_dir() + "/appmgr.toml",
               "port = " + std::to_string(guest.port()) + "\ncertificate = \"" + files.certificate +
                   "\"\nkey = \"" + files.key + "\"\nauthorities = \"" + files.authorities +
                   "\"\n");
    guest.start();
  }

  Command call(const std::vector<std::string>& more) const {
    std::vector<std::string> argv{"appmgr", "--node", "127.0.0.1"};
    argv.insert(argv.end(), more.begin(), more.end());
    return host.command(argv);
  }
  Result run(const std::vector<std::string>& more) const { return tests::run(call(more)); }
  Result shell(const std::string& session, const std::string& text,
               const std::vector<std::string>& more = {}) const {
    return run(shell_call(session, text, more));
  }
  Process begin(const std::string& session, const std::string& text,
                const std::vector<std::string>& more = {}) const {
    return Process(call(shell_call(session, text, more)));
  }
  static std::vector<std::string> shell_call(const std::string& session, const std::string& text,
                                             std::vector<std::string> more) {
    more.insert(more.end(), {"--session", session, "--", "/bin/sh", "-c", text});
    return more;
  }
  int status(const std::string& session) const {
    return run({"--status", "--session", session}).exit_code;
  }

  std::string file(const std::string& name) const { return folder / name; }

  // First, so that managers, which are ended before it, find it.
  RemoteGuest guest;
  Node host;
  TempDir folder;
};

TEST_F(Remote, ACommandsOutputAndExitCodeAreOurs) {
  const Result result = shell("a", "echo out; echo err >&2; exit 42");
  EXPECT_EQ(result.exit_code, 42);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_THAT(guest.sessions(), IsEmpty());
  EXPECT_EQ(shell("a", "kill -9 $$").exit_code, 137);
  EXPECT_EQ(run({"--session", "a", "--", "/nowhere/at/all"}).exit_code, 252);
  EXPECT_EQ(run({"--session", "a", "--", "/bin/bash"}).exit_code, 251);
  EXPECT_EQ(shell("a", "echo $COLOUR", {"--env", "COLOUR=blue"}).out, "blue\n");
  EXPECT_EQ(shell("a", "true", {"--env", "PATH=/tmp"}).exit_code, 251);
}

TEST_F(Remote, AnAppsWholeLife) {
  Process manager = begin(
      "web",
      "trap 'echo hup' HUP; trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done");
  ASSERT_TRUE(wait_until([&] { return manager.out() == "up\n"; }));
  EXPECT_EQ(status("web"), 0);
  EXPECT_EQ(status("none"), 1);
  EXPECT_THAT(run({"--list"}).out, HasSubstr("web      running"));
  EXPECT_THAT(run({"--status", "--json", "--session", "web"}).out,
              AllOf(HasSubstr(R"("state":"running")"), HasSubstr(R"("attached":true)")));
  // A second manager.
  const Result second = run({"--attach", "web"});
  EXPECT_EQ(second.exit_code, 251);
  EXPECT_THAT(second.err, HasSubstr("another manager is attached"));
  EXPECT_EQ(run({"--signal", "HUP", "--session", "web"}).exit_code, 0);
  ASSERT_TRUE(wait_until([&] { return manager.out() == "up\nhup\n"; }));
  EXPECT_EQ(run({"--signal", "KILL", "--session", "web"}).exit_code, 251);
  EXPECT_EQ(run({"--acknowledge", "--session", "web"}).exit_code, 1);
  EXPECT_EQ(run({"--stop", "--session", "web"}).exit_code, 0);
  const Result result = manager.wait();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out, "up\nhup\nbye\n");
  EXPECT_EQ(run({"--stop", "--session", "web"}).exit_code, 0);
  EXPECT_THAT(run({"--list", "--json"}).out, "[]\n");
}

TEST_F(Remote, DetachedItIsFoundAndAttachedLater) {
  const auto detach = shell_call(
      "a", "echo first; while [ ! -e " + file("go") + " ]; do sleep 0.01; done; echo last; exit 9",
      {"--detach"});
  EXPECT_EQ(run(detach).exit_code, 0);
  EXPECT_EQ(run(detach).exit_code, 0);
  EXPECT_EQ(guest.sessions().size(), 1u);
  EXPECT_EQ(status("a"), 0);
  Process manager(call({"--attach", "a"}));
  ASSERT_TRUE(wait_until([&] { return manager.out() == "first\n"; }));
  write_file(file("go"), "");
  const Result result = manager.wait();
  EXPECT_EQ(result.exit_code, 9);
  EXPECT_EQ(result.out, "first\nlast\n");
  EXPECT_EQ(status("a"), 1);
}

// Killed, its successor has the end, and what of the output was not shown yet.
TEST_F(Remote, AManagerThatWasKilledIsFollowedByAnother) {
  std::string shown;
  const std::string text =
      "echo first; while [ ! -e " + file("go") + " ]; do sleep 0.01; done; echo last; exit 9";
  {
    Process manager = begin("a", text);
    ASSERT_TRUE(wait_until([&] { return manager.out() == "first\n"; }));
    manager.signal(SIGKILL);
    manager.wait();
  }
  EXPECT_EQ(status("a"), 0);
  write_file(file("go"), "");
  ASSERT_TRUE(wait_until([&] { return status("a") == 1; }));
  // The same call as before starts nothing.
  const Result next = shell("a", text);
  EXPECT_EQ(next.exit_code, 9);
  EXPECT_TRUE(next.out.ends_with("last\n")) << next.out;
  EXPECT_THAT(next.err, HasSubstr("was there already"));
  EXPECT_THAT(guest.sessions(), IsEmpty());
}

// Another has had all of the output: there is nothing to wait for.
TEST_F(Remote, AnEndWhoseOutputWasShownIsToldToTheNext) {
  const std::string text =
      "echo all; while [ ! -e " + file("go") + " ]; do sleep 0.01; done; exit 7";
  {
    Process manager = begin("a", text);
    ASSERT_TRUE(wait_until([&] { return manager.out() == "all\n"; }));
    // Until the confirmation has arrived as well.
    ASSERT_TRUE(wait_until([&] { return manager.running() && status("a") == 0; }));
    manager.signal(SIGKILL);
    manager.wait();
  }
  write_file(file("go"), "");
  ASSERT_TRUE(wait_until([&] { return status("a") == 1; }));
  const Result next = run({"--attach", "a"});
  EXPECT_EQ(next.exit_code, 7);
  EXPECT_THAT(next.out, testing::AnyOf("", "all\n"));
}

TEST_F(Remote, AKilledAppserverIsOutlived) {
  Process manager = begin("a", "echo up >> " + file("starts") + "; echo first; while [ ! -e " +
                                   file("go") + " ]; do sleep 0.01; done; echo last; exit 11");
  ASSERT_TRUE(wait_until([&] { return manager.out() == "first\n"; }));
  for (int i = 0; i < 3; ++i) {
    guest.kill();
    guest.start();
  }
  write_file(file("go"), "");
  const Result result = manager.wait();
  EXPECT_EQ(result.exit_code, 11) << result.err;
  EXPECT_EQ(result.out, "first\nlast\n");
  EXPECT_EQ(read_file(file("starts")), "up\n");
}

TEST_F(Remote, AnEndWhileNoAppserverRunsIsHeardFromTheNext) {
  Process manager =
      begin("a", "echo up; while [ ! -e " + file("go") + " ]; do sleep 0.01; done; echo over > " +
                     file("over") + "; exit 12");
  ASSERT_TRUE(wait_until([&] { return manager.out() == "up\n"; }));
  guest.kill();
  write_file(file("go"), "");
  ASSERT_TRUE(wait_until([&] { return read_file(file("over")) == "over\n"; }));
  guest.start();
  EXPECT_EQ(manager.wait().exit_code, 12);
}

TEST_F(Remote, AFrozenAppserverIsWaitedForAndGivenUpAfterTheTimeOut) {
  Process manager = begin("a", "echo up; exec sleep 1000", {"--timeout", "2"});
  ASSERT_TRUE(wait_until([&] { return manager.out() == "up\n"; }));
  guest.freeze();
  const Result result = manager.wait();
  EXPECT_EQ(result.exit_code, 253);
  EXPECT_THAT(result.err, HasSubstr("the command of session \"a\" may still run there"));
  guest.thaw();
  EXPECT_EQ(status("a"), 0);
  EXPECT_EQ(run({"--stop", "--forget", "--session", "a"}).exit_code, 0);
  EXPECT_THAT(guest.sessions(), IsEmpty());
}

// Silence is no trouble as long as pings are answered, on both sides.
TEST_F(Remote, AQuietCommandLosesNoConnection) {
  const Result result = shell("a", "sleep 2.5; exit 8", {"--timeout", "1"});
  EXPECT_EQ(result.exit_code, 8);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(count_of(guest.log(), ": connected"), 1u);
}

TEST_F(Remote, TermEndsTheCommandAndAllThatItHasStarted) {
  Process manager =
      begin("a", "trap '' TERM; sleep 1000 & echo $!; echo $$; while :; do sleep 1; done",
            {"--kill-after", "0"});
  ASSERT_TRUE(wait_until([&] { return count_of(manager.out(), "\n") == 2; }));
  std::istringstream pids(manager.out());
  pid_t child = 0;
  pid_t shell = 0;
  pids >> child >> shell;
  const Result result = manager.stop();
  EXPECT_EQ(result.exit_code, 137);
  EXPECT_FALSE(process_exists(shell));
  EXPECT_FALSE(process_exists(child));
  EXPECT_THAT(guest.sessions(), IsEmpty());
}

TEST_F(Remote, MuchOutputIsWhole) {
  const Result result = shell("a", "seq 1 300000; seq 1 1000 >&2");
  std::string expected;
  for (int i = 1; i <= 300000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(result.out == expected) << result.out.size() << " of " << expected.size();
  EXPECT_EQ(count_of(result.err, "\n"), 1000u);
}

TEST_F(Remote, ASecondSessionOfTheSameCommandIsAnother) {
  Process one = begin("a", "echo $$; exec sleep 1000");
  Process two = begin("b", "echo $$; exec sleep 1000");
  ASSERT_TRUE(wait_until([&] { return !one.out().empty() && !two.out().empty(); }));
  EXPECT_NE(one.out(), two.out());
  EXPECT_EQ(one.stop().exit_code, 143);
  EXPECT_EQ(status("b"), 0);
  EXPECT_EQ(two.stop().exit_code, 143);
}

}  // namespace
}  // namespace genapp::tests
