// genapp status: every condition that a resource can be in.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/json.hpp>
#include <optional>

#include "tests/support/net.hpp"
#include "tests/support/node.hpp"
#include "tests/support/wait.hpp"

namespace genapp::tests {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

// Keys of a resource whose restore needs no probe; it has no flag before the test is over.
constexpr char kQuickStart[] = "wait_first_probe = false\nhc_timeout = 3600";
constexpr char kQuickFlag[] = "wait_first_probe = false\nhc_timeout = 0.1";

// A node with the resource "lb", id "app1", in service.
class RunningNode : public Node {
 public:
  explicit RunningNode(const std::string& keys = kQuickStart) {
    lbhc("lb", "app1", port.text() + " OK", keys);
    const Result result = action("restore", "lb", "app1");
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }

  Port port;
};

struct Shown {
  int exit_code = 0;
  json::value first;  // of the resources
  std::string err;
};

Shown json_of(const Node& node) {
  const Result result = node.run({"genapp", "status", "--json"});
  return {result.exit_code, json::parse(result.out).at("resources").at(0), result.err};
}

std::string table_of(const Node& node) { return node.run({"genapp", "status"}).out; }

// Signals a daemon that is there: pid 0 would be the test's own process group.
pid_t signal_daemon(const Node& node, const std::string& id, int number) {
  const pid_t pid = node.daemon(id);
  EXPECT_GT(pid, 0);
  if (pid > 0) ::kill(pid, number);
  return pid;
}

void kill_daemon(const Node& node, const std::string& id) {
  signal_daemon(node, id, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return node.daemon(id) == 0; }));
}

TEST(GenappStatus, OfALivingDaemon) {
  RunningNode node;
  const Shown shown = json_of(node);
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_EQ(shown.first.at("tag"), "lb");
  EXPECT_EQ(shown.first.at("id"), "app1");
  EXPECT_EQ(shown.first.at("type"), "lbhc");
  EXPECT_EQ(shown.first.at("info").as_string(), node.port.text() + " OK");
  EXPECT_EQ(shown.first.at("state"), "ISP");
  EXPECT_EQ(shown.first.at("alive"), true);
  EXPECT_EQ(shown.first.at("pid"), node.daemon("app1"));
  EXPECT_EQ(shown.first.at("port"), node.port.number());
  EXPECT_EQ(shown.first.at("flag"), false);
  EXPECT_TRUE(shown.first.at("cause").is_null());
  EXPECT_EQ(shown.first.at("daemon").at("phase"), "serving");
  EXPECT_TRUE(shown.first.at("error").is_null());
  EXPECT_THAT(table_of(node),
              HasSubstr("lb   app1  lbhc  ISP    " + std::to_string(node.daemon("app1"))));
  EXPECT_THAT(table_of(node), HasSubstr("  never       0       -\n"));
}

TEST(GenappStatus, OfADaemonThatWaitsForItsFirstProbe) {
  Node node;
  const Port port;
  node.lbhc("lb", "app1", port.text(), "hc_timeout = 60");
  const Process restore = node.start_action("restore", "lb", "app1");
  EXPECT_TRUE(
      wait_until([&] { return table_of(node).find(" (starting)  ") != std::string::npos; }));
}

TEST(GenappStatus, OfADeadDaemon) {
  RunningNode node;
  kill_daemon(node, "app1");
  const Shown shown = json_of(node);
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_EQ(shown.first.at("state"), "ISP");
  EXPECT_EQ(shown.first.at("alive"), false);
  EXPECT_TRUE(shown.first.at("pid").is_null());
  EXPECT_TRUE(shown.first.at("daemon").is_null());
  EXPECT_THAT(table_of(node), HasSubstr("ISP    -    " + node.port.text() + "  -"));
}

TEST(GenappStatus, OfAHungDaemonIsNotHeldUpAndShowsTheOthers) {
  RunningNode node;
  const Port other;
  node.lbhc("other", "app2", other.text(), kQuickStart);
  ASSERT_EQ(node.action("restore", "other", "app2").exit_code, 0);
  const pid_t pid = signal_daemon(node, "app1", SIGSTOP);
  const Shown shown = json_of(node);
  const std::string table = table_of(node);
  signal_daemon(node, "app1", SIGCONT);
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_EQ(shown.first.at("alive"), true);
  EXPECT_EQ(shown.first.at("pid"), pid);
  EXPECT_TRUE(shown.first.at("daemon").is_null());
  EXPECT_THAT(std::string(shown.first.at("error").as_string()), HasSubstr("did not answer"));
  EXPECT_THAT(shown.err, HasSubstr("\"lb\": the daemon at "));
  EXPECT_THAT(table, HasSubstr(std::to_string(pid) + " (hung)  " + node.port.text() + "  ?"));
  EXPECT_THAT(table,
              HasSubstr("\nother  app2  lbhc  ISP    " + std::to_string(node.daemon("app2"))));
}

TEST(GenappStatus, OfAFlagNamesItsCause) {
  RunningNode node(kQuickFlag);
  ASSERT_TRUE(wait_until([&] { return node.has("app1-hc-ng"); }));
  Shown shown = json_of(node);
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_EQ(shown.first.at("flag"), true);
  EXPECT_EQ(shown.first.at("cause"), "never probed");
  EXPECT_THAT(table_of(node), HasSubstr("  up: never probed\n"));
  // A dead daemon's flag tells it by its own content.
  kill_daemon(node, "app1");
  shown = json_of(node);
  EXPECT_EQ(shown.first.at("alive"), false);
  EXPECT_EQ(shown.first.at("cause"), "never probed");
  EXPECT_THAT(table_of(node), HasSubstr("  -       up: never probed\n"));
}

TEST(GenappStatus, OfAFlagWithoutOrWithAStrangeContent) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  for (const auto& [content, shown] : std::vector<std::pair<std::string, std::string>>{
           {"", "  up\n"},
           {"no JSON", "  up\n"},
           {"{\"cause\":\"\\u001b[31m\\n\xc3\xa4\"}", "  up: \\x1b[31m\\n\\xc3\\xa4\n"}}) {
    write_file(node.run_file("app1-hc-ng"), content);
    const Result result = node.run({"genapp", "status"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(result.out.ends_with(shown)) << result.out;
  }
}

TEST(GenappStatus, ShowsTheOthersWhenAResourceIsBad) {
  Node node;
  node.lbhc("good", "app1", "54321");
  node.lbhc("bad-key", "app2", "54322", "drian = 1");
  node.lbhc("bad-port", "app3", "0");
  node.lbhc("bad-state", "app4", "54324");
  node.resource_file("bad-toml", "type =\n");
  write_file(node.run_file("app4.state"), "OS");
  const Result result = node.run({"genapp", "status"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("\ngood       app1  lbhc  OSU    -    54321  -"));
  EXPECT_THAT(result.out, HasSubstr("\nbad-key    app2  lbhc  OSU    -    54322  -"));
  EXPECT_THAT(result.out, HasSubstr("\nbad-port   app3  lbhc  OSU    -    ?      -"));
  EXPECT_THAT(result.out, HasSubstr("\nbad-state  app4  lbhc  ?      -    54324  -"));
  EXPECT_THAT(result.out, HasSubstr("\nbad-toml   ?     ?     ?      ?    ?      ?"));
  EXPECT_THAT(result.err, HasSubstr("bad-key.toml:5: unknown key \"lbhc.drian\""));
  EXPECT_THAT(result.err, HasSubstr("bad-port.toml:3: info \"0\""));
  EXPECT_THAT(result.err, HasSubstr("app4.state holds \"OS\""));
  EXPECT_THAT(result.err, HasSubstr("bad-toml.toml:1: "));
  EXPECT_THAT(result.err, testing::Not(HasSubstr("good")));
  const Result one = node.run({"genapp", "status", "good"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(node.run({"genapp", "status", "bad-toml"}).exit_code, 1);
}

TEST(GenappStatus, ShowsWhatItCanUnderWrongSettings) {
  RunningNode node;
  node.settings("[lbhc]\ndrian = 1");
  const Shown shown = json_of(node);
  EXPECT_EQ(shown.exit_code, 1);
  EXPECT_EQ(shown.first.at("port"), node.port.number());
  EXPECT_EQ(shown.first.at("alive"), true);
  EXPECT_THAT(shown.err, HasSubstr("genapp.toml:3: unknown key"));
}

TEST(GenappStatus, OfATagThatIsNotThere) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  const Result result = node.run({"genapp", "status", "nope"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("no resource \"nope\""));
}

TEST(GenappStatus, RefusesABadRunDirectory) {
  const auto refusal = [](const Node& node) {
    const Result result = node.run({"genapp", "status"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, testing::MatchesRegex("genapp: error: [ -~]+\n"));
    return result.err;
  };
  const Node node;
  std::filesystem::permissions(node.run_dir(), std::filesystem::perms(0777));
  EXPECT_THAT(refusal(node), HasSubstr("is writable by everybody"));
  std::filesystem::rename(node.run_dir(), node.run_dir() + "-moved");
  EXPECT_THAT(refusal(node), HasSubstr(node.run_dir() + " does not exist"));
  std::filesystem::create_directory_symlink(node.run_dir() + "-moved", node.run_dir());
  EXPECT_THAT(refusal(node), HasSubstr("is a symbolic link"));
  std::filesystem::remove(node.run_dir());
  write_file(node.run_dir(), "");
  EXPECT_THAT(refusal(node), HasSubstr("is not a directory"));
  std::filesystem::remove(node.run_dir());
}

TEST(GenappStatus, ChangesNothing) {
  RunningNode node(kQuickFlag);
  ASSERT_TRUE(wait_until([&] { return node.has("app1-hc-ng"); }));
  kill_daemon(node, "app1");
  const auto before = node.run_files();
  EXPECT_EQ(node.run({"genapp", "status"}).exit_code, 0);
  EXPECT_EQ(node.run_files(), before);
}

}  // namespace
}  // namespace genapp::tests
