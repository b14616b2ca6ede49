#include "ctl/create.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/resource.hpp"
#include "common/error.hpp"

namespace genapp::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

Draft draft(std::vector<Draft::Key> keys = {}, std::string info = "54321 OK") {
  return {common::Tag("lb"), common::Id("app1"), "lbhc", std::move(info), std::move(keys)};
}

Draft script(std::vector<Draft::Key> keys) {
  return {common::Tag("web"), common::Id("app2"), "script", "", std::move(keys)};
}

Draft parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "create");
  return parse_create(static_cast<int>(arguments.size()), arguments.data());
}

struct Refusal {
  common::ExitCode exit_code = common::ExitCode::ok;
  std::string text;
};

template <typename Work>
Refusal refusal_of(Work work) {
  try {
    work();
    return {};
  } catch (const common::Error& problem) {
    return {problem.exit_code(), problem.what()};
  }
}

TEST(ParseCreate, TakesShortAndLongOptionsInAnyOrder) {
  const Draft made = parse({"--info", "54321 OK", "--set", "drain=2", "--id", "app1", "-t", "lb",
                            "--set", "listen=a=b"});
  EXPECT_EQ(made.tag.text(), "lb");
  EXPECT_EQ(made.id.text(), "app1");
  EXPECT_EQ(made.type, "lbhc");
  EXPECT_EQ(made.info, "54321 OK");
  ASSERT_EQ(made.keys.size(), 2u);
  EXPECT_EQ(made.keys[0].name, "drain");
  EXPECT_EQ(made.keys[0].value, "2");
  EXPECT_EQ(made.keys[1].value, "a=b");
}

TEST(ParseCreate, NamesWhatIsMissing) {
  for (const auto& [arguments, missing] :
       std::vector<std::pair<std::vector<const char*>, std::string>>{
           {{"-i", "a", "--info", "1"}, "-t TAG"},
           {{"-t", "a", "--info", "1"}, "-i ID"},
           {{"-t", "a", "-i", "a"}, "--info"}}) {
    const Refusal refusal = refusal_of([&] { parse(arguments); });
    EXPECT_EQ(refusal.exit_code, common::ExitCode::usage);
    EXPECT_THAT(refusal.text, HasSubstr("missing " + missing));
  }
}

TEST(ParseCreate, AScriptNeedsNoInfo) {
  EXPECT_EQ(parse({"-t", "web", "-i", "a", "--type", "script"}).info, "");
  EXPECT_EQ(parse({"-t", "web", "-i", "a", "--type", "script", "--info", "/data"}).info, "/data");
  EXPECT_EQ(refusal_of([&] {
              parse({"-t", "web", "-i", "a", "--type", "other"});
            }).exit_code,
            common::ExitCode::usage);
}

TEST(ParseCreate, TakesARemotesNodeAndItsCommandAsItStands) {
  const Draft made = parse({"-t", "web", "-i", "a", "--type", "remote", "--node", "guest1", "--set",
                            "port=5316", "--", "/bin/up", "--set", "", "--"});
  EXPECT_EQ(made.info, "");
  EXPECT_EQ(made.node, "guest1");
  EXPECT_THAT(made.command, testing::ElementsAre("/bin/up", "--set", "", "--"));
  ASSERT_EQ(made.keys.size(), 1u);
  // Both may be among the keys, or in genapp.toml.
  EXPECT_THAT(parse({"-t", "web", "-i", "a", "--type", "remote"}).command, testing::IsEmpty());
}

TEST(ParseCreate, ANodeAndACommandAreARemotes) {
  for (const std::vector<const char*>& more : std::vector<std::vector<const char*>>{
           {"--node", "guest1"}, {"--", "/bin/up"}, {"--type", "script", "--", "/bin/up"}}) {
    std::vector<const char*> arguments{"-t", "a", "-i", "a", "--info", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Refusal refusal = refusal_of([&] { parse(arguments); });
    EXPECT_EQ(refusal.exit_code, common::ExitCode::usage);
    EXPECT_THAT(refusal.text, HasSubstr("are for --type remote"));
  }
  for (const std::vector<const char*>& arguments : std::vector<std::vector<const char*>>{
           {"-t", "a", "-i", "a", "--type", "remote", "--"},
           {"-t", "a", "-i", "a", "--type", "remote", "--node", ""},
           {"-t", "a", "--type", "remote", "--", "-i", "a"}}) {
    EXPECT_EQ(refusal_of([&] { parse(arguments); }).exit_code, common::ExitCode::usage);
  }
}

TEST(ParseCreate, RefusesWhatItDoesNotKnow) {
  const std::vector<const char*> good{"-t", "a", "-i", "a", "--info", "1"};
  for (const std::vector<const char*>& more :
       std::vector<std::vector<const char*>>{{"--inf", "1"},
                                             {"extra"},
                                             {"-t", "b"},
                                             {"--set", "key"},
                                             {"--set", "=1"},
                                             {"--set", "a.b=1"},
                                             {"--set", "a b=1"},
                                             {"--set", "a\nb=1"},
                                             {"--set"}}) {
    std::vector<const char*> arguments = good;
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(refusal_of([&] { parse(arguments); }).exit_code, common::ExitCode::usage) << more[0];
  }
}

TEST(TomlValue, LeavesTomlValuesAsTheyAre) {
  for (const char* text : {"30", "-1", "0.2", "true", "[]", "[\"azure\", \"10.0.0.0/8\"]",
                           "\"quoted\"", "'literal'"}) {
    EXPECT_EQ(toml_value(text), text);
  }
}

TEST(TomlValue, QuotesTheRest) {
  EXPECT_EQ(toml_value("http"), "\"http\"");
  EXPECT_EQ(toml_value(""), "\"\"");
  EXPECT_EQ(toml_value("127.0.0.1"), "\"127.0.0.1\"");
  EXPECT_EQ(toml_value("::1"), "\"::1\"");
  EXPECT_EQ(toml_value("say \"hi\""), "\"say \\\"hi\\\"\"");
  EXPECT_EQ(toml_value("{ a = 1 }"), "\"{ a = 1 }\"");
  EXPECT_EQ(toml_value("[1, 2]"), "\"[1, 2]\"");
}

TEST(TomlValue, LetsNoSecondKeyIn) {
  EXPECT_EQ(toml_value("1\nother = 2"), "\"1\\u000aother = 2\"");
  EXPECT_EQ(toml_value("1\r\nother = 2"), "\"1\\u000d\\u000aother = 2\"");
}

TEST(ResourceText, ReadsBackAsItWasMeant) {
  const std::string info = "54321 \"quoted\"\\ \t\xc3\xa4 ";
  const auto resource =
      cluster::parse_resource(common::Tag("lb"), "lb.toml",
                              resource_text(draft({{"drain", "2"}, {"protocol", "http"}}, info)));
  EXPECT_EQ(resource.id.text(), "app1");
  EXPECT_EQ(resource.type, "lbhc");
  EXPECT_EQ(resource.info, info);
  EXPECT_EQ(resource.file.find("lbhc", "drain")->as_number(), 2);
  EXPECT_EQ(resource.file.find("lbhc", "protocol")->as_string(), "http");
}

TEST(ParseCreate, TakesKeysOfTheAgent) {
  const Draft made = parse({"-t", "lb", "-i", "app1", "--info", "1", "--agent", "critical=true",
                            "--set", "drain=2", "--agent", "group=web"});
  ASSERT_EQ(made.keys.size(), 1u);
  ASSERT_EQ(made.agent_keys.size(), 2u);
  EXPECT_EQ(made.agent_keys[1].name, "group");
  EXPECT_EQ(made.agent_keys[1].value, "web");
  EXPECT_THAT(refusal_of([] {
                parse({"-t", "a", "-i", "a", "--info", "1", "--agent", "critical"});
              }).text,
              testing::StartsWith("--agent \"critical\" must be KEY=VALUE"));
}

TEST(ResourceText, WritesTheAgentsTable) {
  Draft made = draft({{"drain", "2"}});
  made.agent_keys = {{"auto_start", "true"}, {"depends_on", "[\"db\"]"}, {"group", "web"}};
  const auto resource = cluster::parse_resource(common::Tag("lb"), "lb.toml", resource_text(made));
  EXPECT_EQ(resource.file.find("lbhc", "drain")->as_number(), 2);
  EXPECT_TRUE(resource.file.find("agent", "auto_start")->as_bool());
  EXPECT_THAT(resource.file.find("agent", "depends_on")->as_list(), testing::ElementsAre("db"));
  EXPECT_EQ(resource.file.find("agent", "group")->as_string(), "web");
  check_draft(made, nullptr);
}

TEST(CheckDraft, BlamesTheAgentsOption) {
  for (const auto& keys : std::vector<std::vector<Draft::Key>>{{}, {{"drain", "1"}}}) {
    Draft made = draft(keys);
    made.agent_keys = {{"critical", "true"}, {"restart_limit", "often"}};
    const Refusal refusal = refusal_of([&] { check_draft(made, nullptr); });
    EXPECT_EQ(refusal.exit_code, common::ExitCode::usage);
    EXPECT_THAT(refusal.text, testing::StartsWith("--agent \"restart_limit=often\": "));
  }
  Draft made = draft();
  made.agent_keys = {{"page", "127.0.0.1:80"}};
  EXPECT_THAT(refusal_of([&] { check_draft(made, nullptr); }).text,
              testing::StartsWith("--agent \"page=127.0.0.1:80\": unknown key"));
}

// Whoever has no agent needs no right settings of it.
TEST(CheckDraft, LooksAtTheAgentsSettingsForKeysOfTheAgentAlone) {
  const auto settings = common::TomlFile::parse("genapp.toml", "[agent]\nenabled = 1\n");
  Draft made = draft();
  EXPECT_EQ(refusal_of([&] { check_draft(made, &settings); }).text, "");
  made.agent_keys = {{"critical", "true"}};
  EXPECT_THAT(refusal_of([&] { check_draft(made, &settings); }).text,
              testing::StartsWith("genapp.toml:2: "));
}

TEST(ResourceText, ReadsBackAScript) {
  const auto resource =
      cluster::parse_resource(common::Tag("web"), "web.toml",
                              resource_text(script({{"folder", "/etc/genapp/apps/web"},
                                                    {"restore", "[\"/bin/up\", \"a b\"]"},
                                                    {"restore_timeout", "60"}})));
  EXPECT_EQ(resource.type, "script");
  EXPECT_EQ(resource.info, "");
  EXPECT_EQ(resource.file.find("script", "folder")->as_string(), "/etc/genapp/apps/web");
  EXPECT_THAT(resource.file.find("script", "restore")->as_list(),
              testing::ElementsAre("/bin/up", "a b"));
  EXPECT_EQ(resource.file.find("script", "restore_timeout")->as_number(), 60);
}

TEST(CheckDraft, TakesAScript) {
  check_draft(script({{"folder", "/etc/genapp/apps/web"}}), nullptr);
  const auto settings = common::TomlFile::parse("genapp.toml", "[script]\nfolder = \"/a\"\n");
  check_draft(script({}), &settings);
}

Draft remote(std::string node, std::vector<std::string> command,
             std::vector<Draft::Key> keys = {}) {
  Draft made{common::Tag("web"), common::Id("app2"), "remote", "", std::move(keys)};
  made.node = std::move(node);
  made.command = std::move(command);
  return made;
}

TEST(ResourceText, ReadsBackARemote) {
  Draft made = remote("guest1", {"/bin/up", "a \"b\"", "", "\xc3\xa4\n"}, {{"port", "5316"}});
  made.agent_keys = {{"critical", "true"}};
  const auto resource =
      cluster::parse_resource(common::Tag("web"), "web.toml", resource_text(made));
  EXPECT_EQ(resource.type, "remote");
  EXPECT_EQ(resource.file.find("remote", "node")->as_string(), "guest1");
  EXPECT_EQ(resource.file.find("remote", "port")->as_number(), 5316);
  EXPECT_EQ(resource.file.find("remote", "command")->as_list(), made.command);
  EXPECT_TRUE(resource.file.find("agent", "critical")->as_bool());
  check_draft(made, nullptr);
}

TEST(CheckDraft, TakesARemoteWhoseRestIsInTheSettings) {
  const auto settings = common::TomlFile::parse("genapp.toml", "[remote]\nnode = \"guest1\"\n");
  check_draft(remote("", {"/bin/up"}), &settings);
}

TEST(CheckDraft, TakesAGoodOne) {
  check_draft(draft({{"hc_timeout", "0.2"}, {"allow", "[\"azure\"]"}}), nullptr);
}

TEST(CheckDraft, BlamesTheOption) {
  struct Case {
    Draft draft;
    std::string option;
  };
  Draft wrong_type = draft({{"drain", "1"}});
  wrong_type.type = "other";
  Draft script_keys = script({{"drain", "1"}});
  Draft without_command = script({});
  for (const Case& item : std::vector<Case>{
           {wrong_type, "--type: type is \"other\", must be one of: lbhc, script, remote"},
           {script_keys, "--set \"drain=1\": unknown key"},
           {without_command, "[script] has neither folder nor restore"},
           {remote("", {"/a"}), "[remote] has no node"},
           {remote("g", {}), "[remote] has no command"},
           {remote("g:1", {"/a"}), "--node: remote.node is \"g:1\""},
           {remote("g", {"a"}), "the command after --: remote.command is \"a\""},
           {remote("g", {"/a"}, {{"node", "h"}}), "--set \"node=h\": "},
           {remote("g", {"/a"}, {{"drain", "1"}}), "--set \"drain=1\": unknown key"},
           {script({{"folder", "apps/web"}}), "--set \"folder=apps/web\": "},
           {script({{"folder", "/a"}, {"kill_after", "soon"}}), "--set \"kill_after=soon\": "},
           {script({{"folder", "/a"}, {"start", "later"}}), "--set \"start=later\": "},
           {draft({}, "0"), "--info: "},
           {draft({}, "54321 \xff"), "--info: "},
           {draft({{"drain", "1"}, {"hc_timeout", "abc"}}), "--set \"hc_timeout=abc\": "},
           {draft({{"hc_timeoutt", "1"}}), "--set \"hc_timeoutt=1\": unknown key"},
           {draft({{"drain", "1"}, {"drain", "2"}}), "--set \"drain=2\": "},
           {draft({{"listen", "somewhere"}}), "--set \"listen=somewhere\": "}}) {
    const Refusal refusal = refusal_of([&] { check_draft(item.draft, nullptr); });
    EXPECT_EQ(refusal.exit_code, common::ExitCode::usage) << refusal.text;
    EXPECT_TRUE(refusal.text.starts_with(item.option)) << refusal.text;
    EXPECT_THAT(refusal.text, Not(HasSubstr("\n")));
  }
}

TEST(CheckDraft, BlamesTheSettingsForTheirOwnMistakes) {
  const auto settings = common::TomlFile::parse("genapp.toml", "[lbhc]\ndrain = \"soon\"\n");
  const Refusal refusal = refusal_of([&] { check_draft(draft(), &settings); });
  EXPECT_EQ(refusal.exit_code, common::ExitCode::failed);
  EXPECT_TRUE(refusal.text.starts_with("genapp.toml:2: ")) << refusal.text;
}

}  // namespace
}  // namespace genapp::ctl
