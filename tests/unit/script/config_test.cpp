#include "script/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::script {
namespace {

using namespace std::chrono_literals;
using common::TomlFile;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using tests::error_of;

constexpr char kNeeded[] = "[script]\nrestore = [\"/bin/up\"]\nremove = [\"/bin/down\"]\n";

// `keys`: lines after line 3 of the resource, in its table [script].
Config read(const std::string& keys, const std::string& settings = "") {
  const TomlFile defaults = TomlFile::parse("genapp.toml", settings);
  const TomlFile resource = TomlFile::parse("web.toml", kNeeded + keys);
  return read_config(settings.empty() ? nullptr : &defaults, resource);
}

std::string problem(const std::string& keys, const std::string& settings = "") {
  return error_of([&] { read(keys, settings); });
}

TEST(ScriptConfig, HasTheDocumentedDefaults) {
  const Config config = read("");
  EXPECT_THAT(config.command(Action::restore).argv, ElementsAre("/bin/up"));
  EXPECT_THAT(config.command(Action::remove).argv, ElementsAre("/bin/down"));
  EXPECT_THAT(config.command(Action::quick_check).argv, IsEmpty());
  EXPECT_THAT(config.command(Action::recover).argv, IsEmpty());
  for (const ActionRow& row : kActions) EXPECT_EQ(config.command(row.action).timeout, row.timeout);
  EXPECT_EQ(config.kill_after, 5s);
  EXPECT_THAT(config.pass_environment, IsEmpty());
  EXPECT_EQ(config.user, "");
  EXPECT_FALSE(config.umask);
  EXPECT_THAT(config.limits, IsEmpty());
  EXPECT_EQ(config.home_server, "");
  EXPECT_EQ(config.start, Start::sync);
  EXPECT_EQ(config.started_after, 1s);
  EXPECT_FALSE(config.restart);
}

TEST(ScriptConfig, ReadsEveryKey) {
  const Config config = read(
      "quickcheck = [\"/bin/look\", \"-v\", \"\"]\n"
      "recover = [\"/bin/again\", \"a b\"]\n"
      "restore_timeout = 1.5\n"
      "remove_timeout = 2\n"
      "quickcheck_timeout = 0.01\n"
      "recover_timeout = 86400\n"
      "kill_after = 0\n"
      "pass_environment = [\"LANG\", \"_x9\"]\n"
      "user = \"alice\"\n"
      "umask = \"0027\"\n"
      "limits = [\"nofile=64\", \"core=unlimited\"]\n"
      "home_server = \"node-a\"\n"
      "start = \"sync\"\n");
  EXPECT_THAT(config.command(Action::quick_check).argv, ElementsAre("/bin/look", "-v", ""));
  EXPECT_THAT(config.command(Action::recover).argv, ElementsAre("/bin/again", "a b"));
  EXPECT_EQ(config.command(Action::restore).timeout, 1500ms);
  EXPECT_EQ(config.command(Action::remove).timeout, 2s);
  EXPECT_EQ(config.command(Action::quick_check).timeout, 10ms);
  EXPECT_EQ(config.command(Action::recover).timeout, 24h);
  EXPECT_EQ(config.kill_after, 0s);
  EXPECT_THAT(config.pass_environment, ElementsAre("LANG", "_x9"));
  EXPECT_EQ(config.user, "alice");
  EXPECT_EQ(config.umask, 027u);
  ASSERT_EQ(config.limits.size(), 2u);
  EXPECT_EQ(config.limits[0].resource, static_cast<int>(RLIMIT_NOFILE));
  EXPECT_EQ(config.limits[0].most, 64u);
  EXPECT_EQ(config.limits[1].resource, static_cast<int>(RLIMIT_CORE));
  EXPECT_EQ(config.limits[1].most, RLIM_INFINITY);
  EXPECT_EQ(config.home_server, "node-a");
}

TEST(ScriptConfig, ReadsTheKeysOfACommandUnderASupervisor) {
  const Config config = read("start = \"async\"\nstarted_after = 0\nrestart = true\n");
  EXPECT_EQ(config.start, Start::async);
  EXPECT_EQ(config.started_after, 0s);
  EXPECT_TRUE(config.restart);
}

// A node's defaults for them are no mistake in a resource that has another start.
TEST(ScriptConfig, DefaultsOfASupervisorHarmNoOtherResource) {
  EXPECT_EQ(read("", "[script]\nrestart = true\nstarted_after = 3\n").start, Start::sync);
}

TEST(ScriptConfig, KnowsEveryLimitByItsName) {
  const std::vector<std::pair<std::string, int>> known{
      {"as", RLIMIT_AS},         {"core", RLIMIT_CORE},   {"cpu", RLIMIT_CPU},
      {"data", RLIMIT_DATA},     {"fsize", RLIMIT_FSIZE}, {"memlock", RLIMIT_MEMLOCK},
      {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"stack", RLIMIT_STACK}};
  for (const auto& [name, resource] : known) {
    const Config config = read("limits = [\"" + name + "=7\"]\n");
    ASSERT_EQ(config.limits.size(), 1u) << name;
    EXPECT_EQ(config.limits[0].resource, resource) << name;
    EXPECT_EQ(config.limits[0].most, 7u) << name;
  }
}

TEST(ScriptConfig, TakesTheNodesSettingsForDefaults) {
  const std::string settings =
      "[script]\nkill_after = 7\nuser = \"alice\"\nquickcheck = [\"/bin/look\"]\n"
      "restore = [\"/bin/other\"]\nremove_timeout = 9\numask = \"077\"\n";
  const Config config = read("user = \"bob\"\n", settings);
  EXPECT_EQ(config.kill_after, 7s);
  EXPECT_EQ(config.user, "bob");
  EXPECT_THAT(config.command(Action::quick_check).argv, ElementsAre("/bin/look"));
  EXPECT_THAT(config.command(Action::restore).argv, ElementsAre("/bin/up"));
  EXPECT_EQ(config.command(Action::remove).timeout, 9s);
  EXPECT_EQ(config.umask, 077u);
}

TEST(ScriptConfig, BlamesTheSettingsForTheirOwnMistakes) {
  EXPECT_THAT(problem("", "[script]\nkill_after = -1\n"),
              HasSubstr("genapp.toml:2: script.kill_after"));
  EXPECT_THAT(problem("", "\n[script]\nkill_aftre = 1\n"), HasSubstr("genapp.toml:3: unknown key"));
}

TEST(ScriptConfig, ASettingsFileWithoutTheTableChangesNothing) {
  EXPECT_EQ(read("", "[lbhc]\nhc_timeout = 1\n").kill_after, 5s);
}

// Every wrong value stands in line 4 and is named with its key.
TEST(ScriptConfig, NamesFileLineAndKeyOfAWrongValue) {
  struct Case {
    std::string line;
    std::string why;
  };
  const std::vector<Case> wrong{
      {"folder = \"relative\"", "must begin with /"},
      {"folder = \"\"", "must begin with /"},
      {"folder = [\"/a\"]", "script.folder"},
      {"folder = \"/a\\u0000b\"", "NUL"},
      {"quickcheck = []", "is empty"},
      {"quickcheck = \"/bin/look -v\"", "script.quickcheck"},
      {"quickcheck = [\"look\"]", "must begin with /"},
      {"quickcheck = [\"/bin/look\", \"a\\u0000b\"]", "NUL"},
      {"quickcheck = [\"/bin/lo\\u0000ok\"]", "NUL"},
      {"restore_timeout = 0", "script.restore_timeout"},
      {"remove_timeout = -1", "script.remove_timeout"},
      {"quickcheck_timeout = 86401", "script.quickcheck_timeout"},
      {"recover_timeout = \"soon\"", "script.recover_timeout"},
      {"recover_timeout = nan", "script.recover_timeout"},
      {"kill_after = 3601", "script.kill_after"},
      {"kill_after = true", "script.kill_after"},
      {"pass_environment = \"LANG\"", "script.pass_environment"},
      {"pass_environment = [\"A=B\"]", "no variable's name"},
      {"pass_environment = [\"\"]", "no variable's name"},
      {"pass_environment = [\"9A\"]", "no variable's name"},
      {"pass_environment = [\"LANG\", \"GENAPP_RUN\"]", "genapp sets itself"},
      {"pass_environment = [\"GENAPP_TAG\"]", "genapp sets itself"},
      {"user = \"\"", "is empty"},
      {"user = 0", "script.user"},
      {"umask = 22", "script.umask"},
      {"umask = \"\"", "octal"},
      {"umask = \"08\"", "octal"},
      {"umask = \"1000\"", "octal"},
      {"umask = \"-1\"", "octal"},
      {"umask = \"22x\"", "octal"},
      {"limits = \"nofile=1\"", "script.limits"},
      {"limits = [\"nofile\"]", "must be NAME=NUMBER"},
      {"limits = [\"files=1\"]", "one of as, core, cpu"},
      {"limits = [\"nofile=\"]", "no whole number"},
      {"limits = [\"nofile=-1\"]", "no whole number"},
      {"limits = [\"nofile=1k\"]", "no whole number"},
      {"limits = [\"nofile=1\", \"as=18446744073709551616\"]", "no whole number"},
      {"home_server = 1", "script.home_server"},
      {"start = \"later\"", "script.start"},
      {"restart = true", "only for start = \"async\""},
      {"started_after = 1", "only for start = \"async\""},
      {"started_after = -1\nstart = \"async\"", "script.started_after"},
      {"started_after = 3601\nstart = \"async\"", "script.started_after"},
      {"restart = \"yes\"\nstart = \"async\"", "script.restart"},
      {"folders = \"/a\"", "unknown key"},
      {"quickCheck = [\"/bin/look\"]", "unknown key"},
  };
  for (const Case& item : wrong) {
    EXPECT_THAT(problem(item.line + "\n"),
                AllOf(testing::StartsWith("web.toml:4: "), HasSubstr(item.why)))
        << item.line;
  }
}

TEST(ScriptConfig, SaysWhichOfTheTwoNeededCommandsIsMissing) {
  const auto missing = [](const std::string& text) {
    return error_of([&] { read_config(nullptr, TomlFile::parse("web.toml", text)); });
  };
  EXPECT_THAT(missing(""), AllOf(HasSubstr("web.toml"), HasSubstr("restore")));
  EXPECT_THAT(missing("[script]\nrestore = [\"/bin/up\"]\n"),
              AllOf(HasSubstr("web.toml"), HasSubstr("remove")));
  EXPECT_THAT(missing("[script]\nremove = [\"/bin/down\"]\n"),
              HasSubstr("say what to run for restore"));
}

class ScriptFolderTest : public testing::Test {
 protected:
  Config read(const std::string& more = "") {
    return read_config(nullptr, TomlFile::parse("web.toml", "[script]\nfolder = \"" + temp_.path() +
                                                                "\"\n" + more));
  }
  void add(const std::string& name) { tests::write_file(temp_ / name, "#!/bin/sh\n"); }

  tests::TempDir temp_;
};

TEST_F(ScriptFolderTest, HoldsTheFourUnderTheirNames) {
  for (const ActionRow& row : kActions) add(std::string(row.name));
  const Config config = read();
  for (const ActionRow& row : kActions) {
    EXPECT_THAT(config.command(row.action).argv, ElementsAre(temp_ / std::string(row.name)));
  }
}

// So that the action itself names the file that is missing.
TEST_F(ScriptFolderTest, TheTwoNeededOnesAreTakenThoughTheyAreMissing) {
  const Config config = read();
  EXPECT_THAT(config.command(Action::restore).argv, ElementsAre(temp_ / "restore"));
  EXPECT_THAT(config.command(Action::remove).argv, ElementsAre(temp_ / "remove"));
  EXPECT_THAT(config.command(Action::quick_check).argv, IsEmpty());
  EXPECT_THAT(config.command(Action::recover).argv, IsEmpty());
}

// One that is there and can't be executed is an error of the action's, not a quickCheck that is
// always well.
TEST_F(ScriptFolderTest, AnOptionalOneThatIsThereIsTakenWhateverItIs) {
  std::filesystem::create_directory(temp_ / "quickCheck");
  EXPECT_THAT(read().command(Action::quick_check).argv, ElementsAre(temp_ / "quickCheck"));
}

// Its file was meant to be there: a check that can't run must not count as "always well".
TEST_F(ScriptFolderTest, ADanglingLinkIsThere) {
  std::filesystem::create_symlink("gone", temp_ / "quickCheck");
  EXPECT_THAT(read().command(Action::quick_check).argv, ElementsAre(temp_ / "quickCheck"));
}

TEST_F(ScriptFolderTest, ACommandOfItsOwnComesBeforeTheFoldersFile) {
  add("quickCheck");
  const Config config = read("quickcheck = [\"/bin/look\", \"-v\"]\nrestore = [\"/bin/up\"]\n");
  EXPECT_THAT(config.command(Action::quick_check).argv, ElementsAre("/bin/look", "-v"));
  EXPECT_THAT(config.command(Action::restore).argv, ElementsAre("/bin/up"));
  EXPECT_THAT(config.command(Action::remove).argv, ElementsAre(temp_ / "remove"));
}

}  // namespace
}  // namespace genapp::script
