// Scripts that can't be run, and descriptions that are wrong.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "tests/support/script_node.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct Fault {
  const char* name;
  std::function<void(const std::string& path)> make;
  const char* message;
};

void replace(const std::string& path, const std::string& text) { write_file(path, text); }

class UnusableScript : public testing::TestWithParam<Fault> {};

TEST_P(UnusableScript, IsOneClearLineAndExitOne) {
  for (const std::string action : {"restore", "remove", "quickCheck", "recover"}) {
    ScriptNode node;
    ASSERT_EQ(node.run("restore").exit_code, 0);
    node.script(action, "exit 0");
    GetParam().make(node.script_path(action));
    const Result result = node.run(action);
    EXPECT_EQ(result.exit_code, 1) << action;
    EXPECT_THAT(result.err, HasSubstr("error: \"web\": \"" + node.script_path(action) +
                                      "\" can't be started: " + GetParam().message));
    // A restore that fails leaves what is in service watched; nothing else changes the state
    // either.
    EXPECT_EQ(node.state(), "ISP");
    EXPECT_THAT(node.processes(), IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Faults, UnusableScript,
    testing::Values(
        Fault{"not_executable",
              [](const std::string& path) {
                std::filesystem::permissions(path, std::filesystem::perms(0644));
              },
              "it is not executable: chmod +x it"},
        Fault{"a_directory",
              [](const std::string& path) {
                std::filesystem::remove(path);
                std::filesystem::create_directory(path);
              },
              "it is a directory"},
        Fault{"no_interpreter",
              [](const std::string& path) { replace(path, "#!/no/such/sh\nexit 0\n"); },
              "its interpreter \"/no/such/sh\" does not exist"},
        Fault{"carriage_return",
              [](const std::string& path) { replace(path, "#!/bin/sh\r\nexit 0\r\n"); },
              "its first line ends with a carriage return"},
        Fault{"empty", [](const std::string& path) { replace(path, ""); }, "the file is empty"},
        Fault{"no_first_line", [](const std::string& path) { replace(path, "exit 0\n"); },
              "it is neither a program for this machine nor a script"},
        Fault{"not_the_machines",
              [](const std::string& path) { replace(path, std::string("\177ELF\0\1\2", 7)); },
              "it is neither a program for this machine nor a script"}),
    [](const auto& fault) { return fault.param.name; });

TEST(MissingScript, IsNamedForWhatMustBeThereAndLeftOutOtherwise) {
  ScriptNode node;
  ASSERT_EQ(node.run("restore").exit_code, 0);
  for (const std::string action : {"restore", "remove"}) {
    std::filesystem::remove(node.script_path(action));
    const Result result = node.run(action);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr(node.script_path(action) +
                                      "\" can't be started: No such file or directory"));
  }
  EXPECT_EQ(node.run("quickCheck").exit_code, 0);
  EXPECT_EQ(node.run("recover").exit_code, 1);
}

TEST(MissingScript, ThatIsNamedByItselfIsAnErrorAlsoForAQuickCheck) {
  ScriptNode node("quickcheck = [\"/no/such/check\"]");
  ASSERT_EQ(node.run("restore").exit_code, 0);
  const Result check = node.run("quickCheck");
  EXPECT_EQ(check.exit_code, 1);
  EXPECT_THAT(check.err, HasSubstr("\"/no/such/check\" can't be started: No such file"));
}

// What stops a script resource is in its description: without that, remove must not say that it is
// out of service.
TEST(BrokenScriptDescription, FailsTheRemoveAndChangesNothing) {
  ScriptNode node;
  ASSERT_EQ(node.run("restore").exit_code, 0);
  for (const std::string text :
       {"this is not toml", "type = \"script\"\nid = \"web1\"\n[script]\nfoldr = \"/x\"\n",
        "type = \"lbhc\"\nid = \"web1\"\ninfo = \"none\"\n"}) {
    node.node().resource_file("web", text);
    const Result removed = node.run("remove");
    EXPECT_EQ(removed.exit_code, 1) << text;
    EXPECT_THAT(removed.err, HasSubstr("web.toml"));
    EXPECT_EQ(node.state(), "ISP");
  }
}

TEST(BrokenScriptDescription, NamesTheLine) {
  struct Case {
    const char* line;
    const char* message;
  };
  for (const Case& wrong :
       {Case{"start = \"later\"", "script.start is \"later\", must be one of: sync, async"},
        Case{"umask = \"9\"", "script.umask is \"9\", must be octal"},
        Case{"limits = [\"files=3\"]", "script.limits has \"files=3\", must be NAME=NUMBER"},
        Case{"restore = []", "script.restore is empty"},
        Case{"restore = [\"start.sh\"]", "script.restore is \"start.sh\", must begin with /"},
        Case{"restore = \"start.sh\"", "script.restore "},
        Case{"restore_timeout = 0", "script.restore_timeout "},
        Case{"user = \"\"", "script.user is empty"},
        Case{"pass_environment = [\"A=B\"]", "script.pass_environment has \"A=B\""}}) {
    ScriptNode node(wrong.line);
    const Result restored = node.run("restore");
    EXPECT_EQ(restored.exit_code, 1);
    EXPECT_THAT(restored.err, HasSubstr("web.toml:6: " + std::string(wrong.message)));
  }
}

TEST(UnknownUser, IsNamed) {
  ScriptNode node("user = \"no-such-user\"");
  const Result restored = node.run("restore");
  EXPECT_EQ(restored.exit_code, 1);
  EXPECT_THAT(restored.err, HasSubstr("there is no user \"no-such-user\" in /etc/passwd"));
}

}  // namespace
}  // namespace genapp::tests
