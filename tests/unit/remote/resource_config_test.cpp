#include "remote/resource/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::remote {
namespace {

using namespace std::chrono_literals;
using common::TomlFile;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using tests::error_of;

constexpr char kNeeded[] = "[remote]\nnode = \"guest1\"\ncommand = [\"/bin/up\", \"-v\"]\n";

// `keys`: lines after line 3 of the resource, in its table [remote].
RemoteConfig read(const std::string& keys, const std::string& settings = "",
                  const std::string& needed = kNeeded) {
  const TomlFile defaults = TomlFile::parse("genapp.toml", settings);
  const TomlFile resource = TomlFile::parse("web.toml", needed + keys);
  return read_remote_config(settings.empty() ? nullptr : &defaults, resource, common::Id("web1"));
}

std::string problem(const std::string& keys, const std::string& settings = "",
                    const std::string& needed = kNeeded) {
  return error_of([&] { read(keys, settings, needed); });
}

TEST(RemoteResourceConfig, HasTheDocumentedDefaults) {
  const RemoteConfig config = read("");
  EXPECT_EQ(config.node, "guest1");
  EXPECT_FALSE(config.port);
  EXPECT_EQ(config.session, "web1");
  EXPECT_THAT(config.command, ElementsAre("/bin/up", "-v"));
  EXPECT_THAT(config.environment, IsEmpty());
  EXPECT_EQ(config.appmgr, "");
  EXPECT_EQ(config.timeout, 10s);
  EXPECT_EQ(config.kill_after, 10s);
  EXPECT_EQ(config.start_timeout, 60s);
  EXPECT_EQ(config.stop_timeout, 60s);
  EXPECT_EQ(config.started_after, 1s);
  EXPECT_TRUE(config.already_running_is_ok);
  EXPECT_FALSE(config.remove_unreachable_is_ok);
  EXPECT_FALSE(config.unreachable_is_healthy);
  EXPECT_TRUE(config.recover_restarts);
}

TEST(RemoteResourceConfig, ReadsEveryKey) {
  const RemoteConfig config = read(
      "port = 5316\nsession = \"site-7\"\nenvironment = [\"A=b c\", \"B=\", \"C==\"]\n"
      "appmgr = \"/opt/bin/appmgr\"\ntimeout = 3600\nkill_after = 0\nstart_timeout = 1.5\n"
      "stop_timeout = 86400\nstarted_after = 0\nalready_running = \"fail\"\n"
      "remove_unreachable = \"ok\"\non_unreachable = \"warn\"\nrecover = \"none\"\n");
  EXPECT_EQ(config.port, 5316);
  EXPECT_EQ(config.session, "site-7");
  EXPECT_THAT(config.environment, ElementsAre("A=b c", "B=", "C=="));
  EXPECT_EQ(config.appmgr, "/opt/bin/appmgr");
  EXPECT_EQ(config.timeout, 3600s);
  EXPECT_EQ(config.kill_after, 0s);
  EXPECT_EQ(config.start_timeout, 1500ms);
  EXPECT_EQ(config.stop_timeout, 86400s);
  EXPECT_EQ(config.started_after, 0s);
  EXPECT_FALSE(config.already_running_is_ok);
  EXPECT_TRUE(config.remove_unreachable_is_ok);
  EXPECT_TRUE(config.unreachable_is_healthy);
  EXPECT_FALSE(config.recover_restarts);
}

TEST(RemoteResourceConfig, TheResourceComesBeforeTheSettings) {
  const std::string settings =
      "[remote]\nnode = \"guest2\"\ntimeout = 3\nrecover = \"none\"\ncommand = [\"/a\"]\n";
  const RemoteConfig config = read("timeout = 4\n", settings, "[remote]\n");
  EXPECT_EQ(config.node, "guest2");
  EXPECT_THAT(config.command, ElementsAre("/a"));
  EXPECT_EQ(config.timeout, 4s);
  EXPECT_FALSE(config.recover_restarts);
}

TEST(RemoteResourceConfig, SaysWhatIsMissing) {
  EXPECT_EQ(problem("", "", "[remote]\nnode = \"g\"\n"),
            "web.toml: [remote] has no command: say what to run there: a program's path and its "
            "arguments");
  EXPECT_THAT(problem("", "", ""), StartsWith("web.toml: [remote] has no node: "));
}

TEST(RemoteResourceConfig, NamesTheLineThatIsWrong) {
  struct Case {
    std::string line;
    std::string says;
  };
  for (const Case& item :
       std::vector<Case>{{"nodes = \"a\"", "unknown key"},
                         {"port = 0", "a whole number from 1 to 65535"},
                         {"port = 65536", "a whole number from 1 to 65535"},
                         {"port = 1.5", "a whole number"},
                         {"port = nan", "a whole number"},
                         {"port = \"5315\"", "must be a number"},
                         {"session = \"../x\"", "not a valid id"},
                         {"session = \"\"", "not a valid id"},
                         {"environment = [\"A\"]", "must be NAME=VALUE"},
                         {"environment = [\"=a\"]", "must be NAME=VALUE"},
                         {"environment = [\"A=\\u0000\"]", "must be NAME=VALUE"},
                         {"environment = [\"A=1\", \"B=\", \"A=2\"]", "has \"A\" twice"},
                         {"appmgr = \"appmgr\"", "must begin with /"},
                         {"timeout = 0", "from 1 to 3600"},
                         {"timeout = 0.5", "a whole number"},
                         {"timeout = 3601", "from 1 to 3600"},
                         {"kill_after = -1", "from 0 to 3600"},
                         {"kill_after = 3601", "from 0 to 3600"},
                         {"start_timeout = 0.5", "from 1 to 86400"},
                         {"stop_timeout = 0", "from 1 to 86400"},
                         {"started_after = -1", "from 0 to 3600"},
                         {"already_running = true", "must be a string"},
                         {"already_running = \"maybe\"", "fail, ok"},
                         {"remove_unreachable = \"warn\"", "fail, ok"},
                         {"on_unreachable = \"ok\"", "fail, warn"},
                         {"recover = \"yes\"", "restart, none"}}) {
    EXPECT_THAT(problem(item.line + "\n"), AllOf(StartsWith("web.toml:4: "), HasSubstr(item.says)))
        << item.line;
  }
  for (const char* command : {"[]", "[\"up\"]", "[\"\"]", "\"/bin/up\"", "[\"/a\", \"\\u0000\"]"}) {
    EXPECT_THAT(problem("", "", "[remote]\nnode = \"g\"\ncommand = " + std::string(command) + "\n"),
                StartsWith("web.toml:3: "))
        << command;
  }
}

TEST(RemoteResourceConfig, ANodeIsANameOrAnAddress) {
  const auto with = [](const std::string& node) {
    return "[remote]\nnode = \"" + node + "\"\ncommand = [\"/a\"]\n";
  };
  for (const char* node :
       {"g", "guest-1.example.org", "192.0.2.1", "::1", "2001:db8::1", "fe80::1%eth0"}) {
    EXPECT_EQ(problem("", "", with(node)), "") << node;
  }
  for (const std::string node :
       {"", "-node", "a b", "a/b", "guest1:5315", "[::1]:5315", "[::1]", "\\t", "\xc3\xa4"}) {
    EXPECT_THAT(problem("", "", with(node)),
                AllOf(StartsWith("web.toml:2: remote.node is "), HasSubstr("the key port")))
        << node;
  }
  EXPECT_EQ(problem("", "", with(std::string(255, 'a'))), "");
  EXPECT_NE(problem("", "", with(std::string(256, 'a'))), "");
}

// A KILL must have time to come before a remove gives up.
TEST(RemoteResourceConfig, AStopOutlastsItsKill) {
  EXPECT_EQ(problem("kill_after = 58\n"), "");
  EXPECT_THAT(problem("kill_after = 59\n"),
              AllOf(StartsWith("web.toml:4: remote.kill_after "), HasSubstr("must be 2 s longer")));
  EXPECT_THAT(problem("kill_after = 1\nstop_timeout = 2.5\n"),
              StartsWith("web.toml:5: remote.stop_timeout "));
  EXPECT_EQ(problem("kill_after = 0\nstop_timeout = 2\n"), "");
  EXPECT_THAT(problem("kill_after = 30\n", "[remote]\nstop_timeout = 20\n"),
              StartsWith("genapp.toml:2: remote.stop_timeout "));
}

// As a default, one session would be all resources'.
TEST(RemoteResourceConfig, ASessionIsAResourcesOwn) {
  EXPECT_THAT(problem("", "[remote]\nsession = \"a\"\n"),
              AllOf(StartsWith("genapp.toml:2: unknown key"), HasSubstr("remote.session")));
}

TEST(RemoteResourceConfig, AMistakeInTheSettingsIsTheirs) {
  EXPECT_THAT(problem("", "[remote]\ntimeout = \"soon\"\n"), StartsWith("genapp.toml:2: "));
}

}  // namespace
}  // namespace genapp::remote
