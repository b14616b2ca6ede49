#include "agent/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/common/testing.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using common::TomlFile;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using tests::error_of;

cluster::Resource resource_of(const std::string& tag, const std::string& type,
                              const std::string& tables) {
  return cluster::parse_resource(common::Tag(tag), "web.toml",
                                 "type = \"" + type + "\"\nid = \"i-" + tag + "\"\n" + tables);
}

// `own`: the resource's keys under [agent], from line 4 on. `shared`: the whole of genapp.toml.
ResourceConfig read(const std::string& own, const std::string& shared = "",
                    const std::string& type = "script") {
  const TomlFile settings = TomlFile::parse("genapp.toml", shared);
  return read_resource_config(&settings, resource_of("web", type, "[agent]\n" + own));
}

std::string error(const std::string& own, const std::string& shared = "") {
  return error_of([&] { read(own, shared); });
}

std::string list_of(const std::string& names) {
  return "web.toml:4: unknown key \"agent." + names + "\"; known here: ";
}

TEST(ResourceConfig, HasTheDocumentedDefaults) {
  const ResourceConfig config = read_resource_config(nullptr, resource_of("web", "lbhc", ""));
  EXPECT_EQ(config.tag.text(), "web");
  EXPECT_EQ(config.id.text(), "i-web");
  EXPECT_EQ(config.type, "lbhc");
  const Attributes& attributes = config.attributes;
  EXPECT_EQ(attributes.monitor_interval, 10s);
  EXPECT_EQ(attributes.monitor_timeout, 10s);
  EXPECT_EQ(attributes.offline_monitor_interval, 60s);
  EXPECT_EQ(attributes.fault_on_monitor_timeouts, 4u);
  EXPECT_EQ(attributes.online_timeout, 300s);
  EXPECT_EQ(attributes.offline_timeout, 300s);
  EXPECT_EQ(attributes.clean_timeout, 60s);
  EXPECT_EQ(attributes.online_retry_limit, 0u);
  EXPECT_EQ(attributes.online_wait_limit, 2u);
  EXPECT_EQ(attributes.offline_wait_limit, 0u);
  EXPECT_EQ(attributes.online_trust_time, 600s);
  EXPECT_EQ(attributes.restart_limit, 0u);
  EXPECT_EQ(attributes.tolerance_limit, 0u);
  EXPECT_TRUE(config.enabled);
  EXPECT_FALSE(config.critical);
  EXPECT_FALSE(config.auto_start);
  EXPECT_EQ(config.restart_by, RestartBy::restore);
  EXPECT_EQ(config.group, "");
  EXPECT_THAT(config.depends_on, IsEmpty());
  EXPECT_THAT(config.on_fallover, IsEmpty());
  EXPECT_THAT(config.monitors, IsEmpty());
}

struct LengthKey {
  std::string name;
  Attributes::Duration Attributes::*member;
};
const std::vector<LengthKey> kLengths{
    {"monitor_interval", &Attributes::monitor_interval},
    {"monitor_timeout", &Attributes::monitor_timeout},
    {"offline_monitor_interval", &Attributes::offline_monitor_interval},
    {"online_timeout", &Attributes::online_timeout},
    {"offline_timeout", &Attributes::offline_timeout},
    {"clean_timeout", &Attributes::clean_timeout},
    {"online_trust_time", &Attributes::online_trust_time},
};

TEST(ResourceConfig, LengthsAreSecondsFromAHundredthToADay) {
  for (const LengthKey& key : kLengths) {
    const auto length = [&](const std::string& value) {
      return read(key.name + " = " + value + "\n").attributes.*key.member;
    };
    EXPECT_EQ(length("0.01"), 10ms) << key.name;
    EXPECT_EQ(length("7"), 7s) << key.name;
    EXPECT_EQ(length("86400"), 24h) << key.name;
    for (const char* wrong :
         {"0.009", "86400.1", "-1", "nan", "inf", "\"7\"", "true", "[]", "1e-12"}) {
      EXPECT_THAT(error("\n" + key.name + " = " + wrong + "\n"),
                  StartsWith("web.toml:5: agent." + key.name + " "))
          << wrong;
    }
    const bool may_be_none = key.name == "offline_monitor_interval";
    EXPECT_EQ(error(key.name + " = 0\n").empty(), may_be_none) << key.name;
  }
  EXPECT_EQ(read("offline_monitor_interval = 0\n").attributes.offline_monitor_interval, 0s);
}

struct CountKey {
  std::string name;
  std::size_t Attributes::*member;
};
const std::vector<CountKey> kCounts{
    {"fault_on_monitor_timeouts", &Attributes::fault_on_monitor_timeouts},
    {"online_retry_limit", &Attributes::online_retry_limit},
    {"online_wait_limit", &Attributes::online_wait_limit},
    {"offline_wait_limit", &Attributes::offline_wait_limit},
    {"restart_limit", &Attributes::restart_limit},
    {"tolerance_limit", &Attributes::tolerance_limit},
};

TEST(ResourceConfig, CountsAreWholeNumbers) {
  for (const CountKey& key : kCounts) {
    const auto count = [&](const std::string& value) {
      return read(key.name + " = " + value + "\n").attributes.*key.member;
    };
    EXPECT_EQ(count("0"), 0u) << key.name;
    EXPECT_EQ(count("7"), 7u) << key.name;
    EXPECT_EQ(count("10000"), 10000u) << key.name;
    for (const char* wrong : {"-1", "10001", "1.0", "9223372036854775807", "\"1\"", "true"}) {
      EXPECT_EQ(error(key.name + " = " + wrong + "\n"),
                "web.toml:4: agent." + key.name + " must be a whole number from 0 to 10000");
    }
  }
}

TEST(ResourceConfig, TakesTheOtherKeys) {
  const ResourceConfig config = read(
      "enabled = false\ncritical = true\nauto_start = true\nrestart_by = \"recover\"\n"
      "group = \"shop\"\ndepends_on = [\"db\", \"fs:1\"]\non_fallover = [\"/bin/move\", "
      "\"web\"]\n");
  EXPECT_FALSE(config.enabled);
  EXPECT_TRUE(config.critical);
  EXPECT_TRUE(config.auto_start);
  EXPECT_EQ(config.restart_by, RestartBy::recover);
  EXPECT_EQ(config.group, "shop");
  EXPECT_THAT(config.depends_on, ElementsAre("db", "fs:1"));
  EXPECT_THAT(config.on_fallover, ElementsAre("/bin/move", "web"));
  EXPECT_EQ(read("restart_by = \"restore\"\n").restart_by, RestartBy::restore);
}

TEST(ResourceConfig, RefusesWrongValuesNamingTheLine) {
  for (const char* wrong :
       {"enabled = 1", "critical = \"yes\"", "auto_start = []", "restart_by = \"restart\"",
        "group = \"\"", "group = \"a b\"", "group = 1", "depends_on = \"db\"",
        "depends_on = [\"\"]", "depends_on = [\"../db\"]", "depends_on = [\"db\", \"db\"]",
        "on_fallover = []", "on_fallover = [\"move\"]", "on_fallover = \"/bin/move\""}) {
    const std::string text(wrong);
    EXPECT_THAT(error("\n" + text + "\n"),
                StartsWith("web.toml:5: agent." + text.substr(0, text.find(' ')) + " "))
        << wrong;
  }
}

TEST(ResourceConfig, NamesTheLineOfAnUnknownKey) {
  EXPECT_THAT(error("monitor_intervall = 1\n"), StartsWith(list_of("monitor_intervall")));
  // The page is the agent's.
  EXPECT_THAT(error("page = \"\"\n"), StartsWith(list_of("page")));
}

// The resource's own, else its type's, else everybody's.
TEST(ResourceConfig, ComesFromTheNearestTable) {
  const std::string all = "[agent]\nrestart_limit = 1\n";
  const std::string of_type = "[agent.script]\nrestart_limit = 2\n";
  const auto limit = [](const std::string& own, const std::string& shared,
                        const std::string& type = "script") {
    return read(own, shared, type).attributes.restart_limit;
  };
  EXPECT_EQ(limit("", all), 1u);
  EXPECT_EQ(limit("", all + of_type), 2u);
  EXPECT_EQ(limit("", of_type), 2u);
  EXPECT_EQ(limit("restart_limit = 3\n", all + of_type), 3u);
  EXPECT_EQ(limit("", all + of_type, "lbhc"), 1u);
  EXPECT_EQ(limit("", of_type, "lbhc"), 0u);
  EXPECT_EQ(limit("", "[agent.lbhc]\nrestart_limit = 4\n", "lbhc"), 4u);
  EXPECT_EQ(limit("", of_type + "[agent.remote]\nrestart_limit = 5\n", "remote"), 5u);
}

TEST(ResourceConfig, EveryKeyButTwoMayBeADefault) {
  const std::string keys =
      "monitor_interval = 1\nmonitor_timeout = 1\noffline_monitor_interval = 1\n"
      "fault_on_monitor_timeouts = 1\nonline_timeout = 1\noffline_timeout = 1\nclean_timeout = 1\n"
      "online_retry_limit = 1\nonline_wait_limit = 1\noffline_wait_limit = 1\n"
      "online_trust_time = 1\nrestart_limit = 1\ntolerance_limit = 1\nenabled = false\n"
      "critical = true\nauto_start = true\nrestart_by = \"recover\"\non_fallover = [\"/x\"]\n";
  for (const char* table : {"[agent]\n", "[agent.script]\n"}) {
    const ResourceConfig config = read("", table + keys);
    for (const LengthKey& key : kLengths) EXPECT_EQ(config.attributes.*key.member, 1s) << key.name;
    for (const CountKey& key : kCounts) EXPECT_EQ(config.attributes.*key.member, 1u) << key.name;
    EXPECT_FALSE(config.enabled);
    EXPECT_TRUE(config.critical && config.auto_start);
    EXPECT_EQ(config.restart_by, RestartBy::recover);
    EXPECT_THAT(config.on_fallover, ElementsAre("/x"));
    for (const char* own : {"group = \"g\"", "depends_on = [\"a\"]"}) {
      EXPECT_THAT(error("", std::string(table) + own + "\n"), StartsWith("genapp.toml:2: unknown"));
    }
  }
  EXPECT_EQ(error("", "[agent]\npage = \"\"\n"), "");
  EXPECT_THAT(error("", "[agent.script]\npage = \"\"\n"), StartsWith("genapp.toml:2: unknown"));
}

TEST(ResourceConfig, BlamesTheFileThatIsWrong) {
  EXPECT_THAT(error("", "\n[agent]\nrestart_limit = -1\n"),
              StartsWith("genapp.toml:3: agent.restart_limit "));
  EXPECT_THAT(error("", "[agent.script]\nrestart_limit = -1\n"),
              StartsWith("genapp.toml:2: agent.script.restart_limit "));
}

AgentConfig read_agent(const std::string& text) {
  const TomlFile settings = TomlFile::parse("genapp.toml", text);
  return read_agent_config(&settings);
}
std::string agent_error(const std::string& text) {
  return error_of([&] { read_agent(text); });
}

TEST(AgentConfig, HasTheDocumentedDefaults) {
  for (const AgentConfig& config : {read_agent_config(nullptr), read_agent("")}) {
    EXPECT_EQ(config.page, "127.0.0.1:9470");
    EXPECT_TRUE(config.groups.empty());
  }
}

TEST(AgentConfig, ThePageIsAtAnAddress) {
  for (const std::string page : {"", "0.0.0.0:1", "[::1]:65535", "localhost:9470", "[::]:80"}) {
    EXPECT_EQ(read_agent("[agent]\npage = \"" + page + "\"\n").page, page);
  }
  for (const char* wrong : {"127.0.0.1",     "127.0.0.1:",
                            "127.0.0.1:0",   "127.0.0.1:65536",
                            "127.0.0.1:+1",  "::1:80",
                            "[::1]",         "[::1]:",
                            "[::1]80",       "[127.0.0.1]:80",
                            "::1",           ":80",
                            "9470",          "example.org:80",
                            "[::1:80",       "127.0.0.1:80:80",
                            "127.1:80",      "127.0.0.1:80\\u0000",
                            " 127.0.0.1:80", "[]:80"}) {
    EXPECT_THAT(agent_error("[agent]\npage = \"" + std::string(wrong) + "\"\n"),
                StartsWith("genapp.toml:2: agent.page "))
        << wrong;
  }
  EXPECT_THAT(agent_error("[agent]\npage = 80\n"), StartsWith("genapp.toml:2: agent.page "));
}

TEST(AgentConfig, HasGroups) {
  const auto groups = read_agent(
                          "[group.web]\nstandby = true\non_fallover = [\"/bin/page\", \"x\"]\n"
                          "[group.\"a.b\"]\n")
                          .groups;
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_TRUE(groups.at("web").standby);
  EXPECT_THAT(groups.at("web").on_fallover, ElementsAre("/bin/page", "x"));
  EXPECT_FALSE(groups.at("a.b").standby);
  EXPECT_THAT(groups.at("a.b").on_fallover, IsEmpty());
}

TEST(AgentConfig, RefusesWhatNoGroupHas) {
  for (const char* wrong :
       {"standby = 1", "on_fallover = [\"page\"]", "on_fallover = []", "depends_on = [\"x\"]"}) {
    EXPECT_THAT(agent_error("[group.web]\n\n" + std::string(wrong) + "\n"),
                StartsWith("genapp.toml:3: "))
        << wrong;
  }
  for (const char* name : {"\"a b\"", "\"\"", "-x", "\"../x\""}) {
    EXPECT_THAT(agent_error("\n[group." + std::string(name) + "]\n"),
                StartsWith("genapp.toml:2: the group "))
        << name;
  }
}

// Also those of a type that no resource has, and those that all override.
TEST(AgentConfig, ChecksTheDefaults) {
  for (const char* table : {"agent", "agent.lbhc", "agent.script", "agent.remote"}) {
    const std::string head = "[" + std::string(table) + "]\n";
    EXPECT_EQ(agent_error(head + "restart_limit = 1\n"), "");
    EXPECT_THAT(agent_error(head + "restart_limit = -1\n"),
                StartsWith("genapp.toml:2: " + std::string(table) + ".restart_limit "));
    EXPECT_THAT(agent_error(head + "x = 1\n"), StartsWith("genapp.toml:2: unknown key "));
  }
}

// "a" depends on the tags in the list, and so on.
using Needs = std::vector<std::pair<std::string, std::vector<std::string>>>;
std::string dependency_error(const Needs& needs) {
  std::vector<ResourceConfig> resources;
  for (const auto& [tag, others] : needs) {
    ResourceConfig resource{common::Tag(tag), common::Id(tag), "script"};
    resource.depends_on = others;
    resources.push_back(std::move(resource));
  }
  return error_of([&] { require_sound_dependencies(resources); });
}

TEST(Dependencies, AreSoundWithoutCircles) {
  EXPECT_EQ(dependency_error({}), "");
  EXPECT_EQ(dependency_error({{"a", {}}, {"b", {"a"}}, {"c", {"a", "b"}}, {"d", {"b", "c"}}}), "");
}

TEST(Dependencies, NameWhoIsNotThere) {
  EXPECT_THAT(dependency_error({{"a", {"b"}}, {"b", {"c"}}}),
              StartsWith("the resource b depends on \"c\", which is not there"));
}

TEST(Dependencies, NameTheCircle) {
  EXPECT_THAT(dependency_error({{"a", {"a"}}}), testing::EndsWith(": a -> a"));
  EXPECT_THAT(dependency_error({{"a", {"b"}}, {"b", {"a"}}}), testing::EndsWith(": a -> b -> a"));
  // What leads into it and what it leads to are not of it.
  EXPECT_THAT(dependency_error(
                  {{"a", {"b", "z"}}, {"b", {"z", "c"}}, {"c", {"d"}}, {"d", {"b"}}, {"z", {}}}),
              testing::EndsWith(": b -> c -> d -> b"));
}

// Bounded by no stack.
TEST(Dependencies, AreFollowedHoweverLongTheChain) {
  Needs chain{{"r0", {}}};
  for (int i = 1; i < 30000; ++i) {
    chain.push_back({"r" + std::to_string(i), {"r" + std::to_string(i - 1)}});
  }
  EXPECT_EQ(dependency_error(chain), "");
  chain.front().second = {"r29999"};
  EXPECT_THAT(dependency_error(chain), StartsWith("resources depend on each other in a circle: "));
}

}  // namespace
}  // namespace genapp::agent
