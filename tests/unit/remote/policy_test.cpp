#include "remote/appserver/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace genapp::remote {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

using Words = std::vector<std::string>;

TEST(RemotePolicy, TheProgramIsNamedExactly) {
  EXPECT_TRUE(matches_command({"/bin/a"}, {"/bin/a"}));
  EXPECT_FALSE(matches_command({"/bin/a"}, {"/bin/b"}));
  EXPECT_FALSE(matches_command({"/bin/a"}, {"/bin/./a"}));
  EXPECT_FALSE(matches_command({"/bin/a"}, {"/bin/a", "b"}));
  EXPECT_FALSE(matches_command({"/bin/a"}, {}));
  EXPECT_FALSE(matches_command({}, {"/bin/a"}));
  // No pattern there, whatever it looks like.
  EXPECT_FALSE(matches_command({"/bin/*"}, {"/bin/a"}));
  EXPECT_FALSE(matches_command({"**"}, {"/bin/a"}));
}

TEST(RemotePolicy, ArgumentsMatchPatterns) {
  struct Case {
    const char* pattern;
    const char* argument;
    bool matches;
  };
  for (const Case& one : {
           Case{"-f", "-f", true},
           Case{"-f", "-F", false},
           Case{"*", "anything at all", true},
           Case{"*", "", true},
           Case{"*", "/etc/passwd", false},
           Case{"*", ".hidden", false},
           Case{"/etc/*.conf", "/etc/a.conf", true},
           Case{"/etc/*.conf", "/etc/b/a.conf", false},
           Case{"/etc/*", "/etc/..", false},
           Case{"/etc/*/x", "/etc/../x", false},
           Case{"/data/?", "/data/a", true},
           Case{"/data/?", "/data/ab", false},
           Case{"[a-c]", "b", true},
           Case{"[a-c]", "d", false},
           Case{"**", "/any/../thing", true},
           Case{"**", "", true},
           Case{"\\*", "*", true},
           Case{"\\*", "a", false},
           Case{"...", "...", true},
       }) {
    EXPECT_EQ(matches_command({"/a", one.pattern, "end"}, {"/a", one.argument, "end"}), one.matches)
        << one.pattern << " " << one.argument;
  }
}

TEST(RemotePolicy, MoreArgumentsAreAllowedByThreeDotsAtTheEnd) {
  const Words patterns{"/a", "-x", "..."};
  EXPECT_TRUE(matches_command(patterns, {"/a", "-x"}));
  EXPECT_TRUE(matches_command(patterns, {"/a", "-x", "1", "/2", "..", ""}));
  EXPECT_FALSE(matches_command(patterns, {"/a"}));
  EXPECT_FALSE(matches_command(patterns, {"/a", "-y"}));
  EXPECT_TRUE(matches_command({"/a", "..."}, {"/a"}));
}

Rule rule(const std::string& name, Words certificates, Words command) {
  Rule rule;
  rule.name = name;
  rule.certificates = std::move(certificates);
  rule.command = std::move(command);
  return rule;
}

TEST(RemotePolicy, TheFirstRuleThatAllowsItHolds) {
  const Policy policy{rule("one", {"host1"}, {"/a", "x"}),
                      rule("two", {"host1", "host2"}, {"/a", "*"}),
                      rule("three", {"host1"}, {"/a", "*"})};
  EXPECT_EQ(find_rule(policy, "host1", {"/a", "x"})->name, "one");
  EXPECT_EQ(find_rule(policy, "host1", {"/a", "y"})->name, "two");
  EXPECT_EQ(find_rule(policy, "host2", {"/a", "x"})->name, "two");
  EXPECT_EQ(find_rule(policy, "host3", {"/a", "x"}), nullptr);
  EXPECT_EQ(find_rule(policy, "HOST1", {"/a", "x"}), nullptr);
  EXPECT_EQ(find_rule(policy, "host1", {"/b", "x"}), nullptr);
  EXPECT_EQ(find_rule({}, "host1", {"/a", "x"}), nullptr);
  EXPECT_EQ(find_rule({rule("none", {""}, {"/a"})}, "", {"/a"}), nullptr);
}

TEST(RemotePolicy, OnlyAcceptedVariablesAreTaken) {
  Rule one = rule("r", {"h"}, {"/a"});
  one.accept_environment = {"A", "B"};
  EXPECT_THAT(refused_environment(one, {{"A", "1"}, {"B", ""}}), IsEmpty());
  EXPECT_THAT(refused_environment(one, {{"A", "1"}, {"C", ""}}),
              HasSubstr("\"C\" is not in accept_environment of [allow.r]"));
}

TEST(RemotePolicy, SignalsHaveNamesAndNumbers) {
  EXPECT_EQ(signal_number("HUP"), SIGHUP);
  EXPECT_EQ(signal_number("SIGUSR1"), SIGUSR1);
  EXPECT_EQ(signal_number("9"), SIGKILL);
  for (const char* const name : {"", "hup", "SIG", "0", "-1", "999", "NONE", "1x"}) {
    EXPECT_FALSE(signal_number(name)) << name;
  }
  Rule one = rule("r", {"h"}, {"/a"});
  one.signals = {"HUP", "SIGUSR1"};
  EXPECT_TRUE(allows_signal(one, SIGHUP));
  EXPECT_TRUE(allows_signal(one, SIGUSR1));
  EXPECT_FALSE(allows_signal(one, SIGKILL));
}

TEST(RemotePolicy, TheEnvironmentIsScrubbedAndTheManagersComesLast) {
  Rule one = rule("r", {"h"}, {"/a"});
  one.environment = {"A=rule", "B=rule", "PATH=/opt/bin"};
  ::setenv("SECRET_OF_THE_SERVER", "x", 1);
  const auto lines = command_environment(one, {"www", "/srv/www", "/bin/false"}, "web",
                                         {{"A", "manager"}, {"GENAPP_RUN", "1.1"}});
  ::unsetenv("SECRET_OF_THE_SERVER");
  for (const char* const line :
       {"A=manager", "B=rule", "PATH=/opt/bin", "HOME=/srv/www", "USER=www", "LOGNAME=www",
        "SHELL=/bin/false", "GENAPP_SESSION=web"}) {
    EXPECT_THAT(lines, Contains(line));
  }
  EXPECT_THAT(lines, Not(Contains(StartsWith("GENAPP_RUN="))));
  EXPECT_THAT(lines, Not(Contains(StartsWith("SECRET"))));
}

TEST(RemotePolicy, WithoutANameThereIsNoUser) {
  const auto lines = command_environment(rule("r", {"h"}, {"/a"}), {"", "/", "/bin/sh"}, "s", {});
  EXPECT_THAT(lines, Not(Contains(StartsWith("USER="))));
}

}  // namespace
}  // namespace genapp::remote
