#include "common/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;
using tests::error_of;
using tests::ScopedEnv;
using tests::TempDir;

class SettingsTest : public testing::Test {
 protected:
  Settings read(const std::string& text) {
    tests::write_file(file_, text);
    return read_settings();
  }
  std::string error(const std::string& text) {
    return error_of([&] { read(text); });
  }

  TempDir temp_;
  std::string file_ = temp_ / "genapp.toml";
  ScopedEnv config_{"GENAPP_CONFIG_DIR", temp_.path()};
};

TEST_F(SettingsTest, AreDefaultsWithoutAFile) {
  const Settings settings = read_settings();
  EXPECT_FALSE(settings.cluster);
  EXPECT_FALSE(settings.file);
  EXPECT_EQ(settings.log_file, "");
  EXPECT_EQ(settings.log_level, log::Level::info);
  EXPECT_EQ(settings.user, "");
}

TEST_F(SettingsTest, TakeEveryKey) {
  const Settings settings =
      read("cluster = \"lifekeeper\"\nlog_file = \"/var/log/x\"\nlog_level = \"warn\"\n[lbhc]\n");
  EXPECT_EQ(settings.cluster, ClusterKind::lifekeeper);
  EXPECT_EQ(settings.log_file, "/var/log/x");
  EXPECT_EQ(settings.log_level, log::Level::warn);
  EXPECT_TRUE(settings.file);
  EXPECT_EQ(read("cluster = \"registry\"").cluster, ClusterKind::registry);
  EXPECT_EQ(read("log_level = \"debug\"").log_level, log::Level::debug);
  EXPECT_EQ(read("log_level = \"info\"").log_level, log::Level::info);
  EXPECT_EQ(read("log_level = \"error\"").log_level, log::Level::error);
  EXPECT_EQ(read("user = \"alice\"").user, "alice");
}

TEST_F(SettingsTest, RefuseWrongWordsNamingFileAndLine) {
  EXPECT_THAT(error("\ncluster = \"pacemaker\"\n"),
              testing::AllOf(StartsWith(file_ + ":2: cluster "), HasSubstr("pacemaker"),
                             HasSubstr("registry, lifekeeper")));
  EXPECT_THAT(error("log_level = \"all\""), StartsWith(file_ + ":1: log_level "));
  EXPECT_THAT(error("user = \"\""), StartsWith(file_ + ":1: user "));
  EXPECT_THAT(error("cluster = 1"), StartsWith(file_ + ":1: cluster "));
  EXPECT_THAT(error("log_file = [\"a\"]"), StartsWith(file_ + ":1: log_file "));
}

TEST_F(SettingsTest, RefuseUnknownKeysAndTables) {
  EXPECT_THAT(error("log_level = \"info\"\nlogfile = \"/x\"\n"),
              StartsWith(file_ + ":2: unknown key \"logfile\""));
  EXPECT_THAT(error("[lbhc]\n[other]\n"), StartsWith(file_ + ":2: unknown table \"other\""));
  EXPECT_THAT(error("[lbhc\n"), StartsWith(file_ + ":1: "));
}

// What is in them is for the agent to judge.
TEST_F(SettingsTest, KnowTheAgentsTables) {
  const Settings settings = read(
      "[agent]\nx = 1\n[agent.lbhc]\n[agent.script]\n[agent.remote]\n"
      "[group.web]\n[group.\"a.b\"]\ny = 1\n");
  EXPECT_TRUE(settings.file->find("group.a.b", "y"));
  for (const char* other : {"agent.other", "monitor.db", "group", "lbhc.x", "script.agent"}) {
    EXPECT_THAT(error("[" + std::string(other) + "]\n"),
                StartsWith(file_ + ":1: unknown table \"" + other + "\""));
  }
}

TEST_F(SettingsTest, RefuseARelativeLogFile) {
  EXPECT_THAT(error("log_file = \"lbhcd.log\""),
              testing::AllOf(StartsWith(file_ + ":1: log_file "), HasSubstr("absolute")));
  EXPECT_EQ(read("log_file = \"\"").log_file, "");  // syslog
}

Setting made(const std::string& section, const std::string& key, Setting::Value value) {
  Setting setting;
  setting.section = section;
  setting.key = key;
  setting.value = std::move(value);
  setting.origin = "f:1";
  return setting;
}
Setting number(double value) { return made("lbhc", "drain", value); }

TEST(AsArgv, IsAnAbsolutePathAndItsArguments) {
  using List = std::vector<std::string>;
  EXPECT_EQ(as_argv(made("", "k", List{"/bin/x", "a b", ""})), (List{"/bin/x", "a b", ""}));
  for (const Setting::Value& wrong :
       std::vector<Setting::Value>{List{}, List{""}, List{"x"}, List{"/x", std::string("a\0b", 3)},
                                   List{std::string("/x\0", 3)}, std::string("/bin/x"), true}) {
    EXPECT_THAT(error_of([&] { as_argv(made("", "k", wrong)); }), StartsWith("f:1: k "));
  }
  EXPECT_EQ(as_absolute_path(made("", "k", std::string("/a"))), "/a");
  for (const std::string& wrong : {std::string("a"), std::string(), std::string("/\0", 2)}) {
    EXPECT_THAT(error_of([&] { as_absolute_path(made("", "k", wrong)); }), StartsWith("f:1: k "));
  }
}

TEST(AsSeconds, TakesTheLimitsThemselves) {
  EXPECT_EQ(as_seconds(number(0.01), 0.01, 10), 10ms);
  EXPECT_EQ(as_seconds(number(10), 0.01, 10), 10s);
  EXPECT_EQ(as_seconds(number(0.2), 0.01, 10), 200ms);
  EXPECT_EQ(as_seconds(made("", "k", std::int64_t{3}), 0, 10), 3s);
}

TEST(AsSeconds, RefusesWhatIsBeyondThem) {
  const double inf = std::numeric_limits<double>::infinity();
  for (const double value : {0.0, -1.0, 0.009, 10.001, 1e9, 1e300, inf, -inf, std::nan("")}) {
    EXPECT_THAT(error_of([&] { as_seconds(number(value), 0.01, 10); }),
                testing::AllOf(StartsWith("f:1: lbhc.drain is "),
                               HasSubstr("must be from 0.01 to 10 seconds")))
        << value;
  }
  EXPECT_THAT(error_of([] { as_seconds(made("", "k", std::string("3")), 0, 10); }),
              HasSubstr("must be a number"));
}

TEST(NumberFromEnvironment, IsNothingWhenUnset) {
  const ScopedEnv unset("HC_TIMEOUT");
  EXPECT_FALSE(number_from_environment("HC_TIMEOUT"));
}

TEST(NumberFromEnvironment, ReadsPlainNumbers) {
  for (const auto& [text, value] : std::vector<std::pair<std::string, double>>{
           {"30", 30}, {"0.2", 0.2}, {"0", 0}, {"-1", -1}, {"1e9", 1e9}, {"05", 5}}) {
    const ScopedEnv set("HC_TIMEOUT", text);
    const auto found = number_from_environment("HC_TIMEOUT");
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(found->as_number(), value);
    EXPECT_EQ(found->name(), "HC_TIMEOUT");
  }
}

TEST(NumberFromEnvironment, RefusesAnythingElse) {
  for (const char* text :
       {"", "abc", " 30", "30 ", "30s", "0x1e", "1,5", "+", "--1", "1e999", "30\n"}) {
    const ScopedEnv set("HC_TIMEOUT", text);
    const std::string problem = error_of([] { number_from_environment("HC_TIMEOUT"); });
    EXPECT_THAT(problem, StartsWith("environment variable: HC_TIMEOUT ")) << '"' << text << '"';
    EXPECT_EQ(problem.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace genapp::common
