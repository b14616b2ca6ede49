#include "script/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace genapp::script {
namespace {

using testing::Each;
using testing::Not;
using testing::StartsWith;

using Variables = std::map<std::string, std::string>;

Surroundings about(Action action = Action::restore) {
  Surroundings about;
  about.tag = "web";
  about.id = "app1";
  about.info = "/data = \"x\"";
  about.action = action;
  about.run = "4711.99";
  about.account = {{1000, 1000, {}}, "alice", "/home/alice", "/bin/bash"};
  about.host = "node-a";
  return about;
}

std::vector<std::string> make(const Surroundings& about, const Variables& caller = {}) {
  return make_environment(about, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = caller.find(name);
    return found == caller.end() ? std::nullopt : std::optional(found->second);
  });
}

// The value; an error text when there is none or more than one.
std::string value_of(const std::vector<std::string>& environment, const std::string& name) {
  std::vector<std::string> values;
  for (const std::string& entry : environment) {
    if (entry.starts_with(name + "=")) values.push_back(entry.substr(name.size() + 1));
  }
  return values.size() == 1 ? values[0] : std::to_string(values.size()) + " times";
}

TEST(ScriptEnvironment, IsCleanAndWhole) {
  EXPECT_THAT(make(about()),
              testing::UnorderedElementsAre(
                  "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                  "HOME=/home/alice", "SHELL=/bin/bash", "USER=alice", "LOGNAME=alice",
                  "GENAPP_TAG=web", "GENAPP_ID=app1", "GENAPP_INFO=/data = \"x\"",
                  "GENAPP_ACTION=restore", "GENAPP_EVENT=START", "GENAPP_RUN=4711.99",
                  "CLP_EVENT=START", "CLP_DISK=SUCCESS", "CLP_SERVER=HOME", "CLP_FACTOR="));
}

TEST(ScriptEnvironment, ANumberWithoutANameHasNoUser) {
  Surroundings nameless = about();
  nameless.account.name = "";
  EXPECT_THAT(make(nameless), Each(Not(StartsWith("USER="))));
  EXPECT_THAT(make(nameless), Each(Not(StartsWith("LOGNAME="))));
}

TEST(ScriptEnvironment, EveryActionHasItsNameAndEvent) {
  for (const ActionRow& row : kActions) {
    const auto environment = make(about(row.action));
    EXPECT_EQ(value_of(environment, "GENAPP_ACTION"), row.name);
    EXPECT_EQ(value_of(environment, "GENAPP_EVENT"), row.event);
    EXPECT_EQ(value_of(environment, "CLP_EVENT"), "START");
  }
}

TEST(ScriptEnvironment, TheCallersWordsForTheClustersVariablesHold) {
  const auto environment = make(about(), {{"GENAPP_EVENT", "MAINTENANCE"},
                                          {"CLP_EVENT", "FAILOVER"},
                                          {"CLP_DISK", "FAILURE"},
                                          {"CLP_SERVER", "OTHER"},
                                          {"CLP_FACTOR", "GROUPSTART"}});
  EXPECT_EQ(value_of(environment, "GENAPP_EVENT"), "MAINTENANCE");
  EXPECT_EQ(value_of(environment, "CLP_EVENT"), "FAILOVER");
  EXPECT_EQ(value_of(environment, "CLP_DISK"), "FAILURE");
  EXPECT_EQ(value_of(environment, "CLP_SERVER"), "OTHER");
  EXPECT_EQ(value_of(environment, "CLP_FACTOR"), "GROUPSTART");
}

TEST(ScriptEnvironment, AFailoverIsAFailoverForBoth) {
  EXPECT_EQ(value_of(make(about(), {{"GENAPP_EVENT", "FAILOVER"}}), "CLP_EVENT"), "FAILOVER");
  EXPECT_EQ(value_of(make(about(), {{"GENAPP_EVENT", "STOP"}}), "CLP_EVENT"), "START");
}

TEST(ScriptEnvironment, HomeIsTheServerThatIsNamed) {
  Surroundings here = about();
  here.home_server = "node-a";
  EXPECT_EQ(value_of(make(here), "CLP_SERVER"), "HOME");
  here.home_server = "node-b";
  EXPECT_EQ(value_of(make(here), "CLP_SERVER"), "OTHER");
}

TEST(ScriptEnvironment, OnlyWhatIsToBePassedIsPassed) {
  Surroundings passing = about();
  passing.pass = {"LANG", "MISSING", "EMPTY"};
  const auto environment =
      make(passing, {{"LANG", "C.UTF-8"}, {"SECRET", "x"}, {"EMPTY", ""}, {"HOME", "/elsewhere"}});
  EXPECT_EQ(value_of(environment, "LANG"), "C.UTF-8");
  EXPECT_EQ(value_of(environment, "EMPTY"), "");
  EXPECT_EQ(value_of(environment, "HOME"), "/home/alice");
  EXPECT_THAT(environment, Each(Not(StartsWith("SECRET="))));
  EXPECT_THAT(environment, Each(Not(StartsWith("MISSING="))));
}

TEST(ScriptEnvironment, NothingIsThereTwice) {
  Surroundings passing = about();
  passing.pass = {"PATH", "HOME", "PATH", "CLP_EVENT"};
  const auto environment =
      make(passing, {{"PATH", "/opt/bin"}, {"HOME", "/srv"}, {"CLP_EVENT", "FAILOVER"}});
  EXPECT_EQ(value_of(environment, "PATH"), "/opt/bin");
  EXPECT_EQ(value_of(environment, "HOME"), "/srv");
  EXPECT_EQ(value_of(environment, "CLP_EVENT"), "FAILOVER");
}

// A script that itself calls genapp: the inner script belongs to the inner run.
TEST(ScriptEnvironment, TheRunIsNeverTheCallers) {
  EXPECT_EQ(value_of(make(about(), {{common::kRunVariable, "1.1"}}), common::kRunVariable),
            "4711.99");
  EXPECT_EQ(value_of(make(about(), {{"GENAPP_TAG", "other"}}), "GENAPP_TAG"), "web");
}

}  // namespace
}  // namespace genapp::script
