// genapp create and list: what is written, what is refused, and many at once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>

#include "tests/support/node.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using Argv = std::vector<std::string>;

constexpr int kMany = 20;

Argv create(const std::string& tag, const std::string& id, const std::string& info,
            const Argv& more = {}) {
  Argv argv{"genapp", "create", "-t", tag, "-i", id, "--info", info};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

// Names in the registry, hidden ones too.
Argv registry_files(const Node& node) {
  Argv names;
  std::error_code none;
  for (const auto& entry :
       std::filesystem::directory_iterator(node.config_dir() + "/resources.d", none)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::size_t listed(const Node& node) {
  const Result result = node.run({"genapp", "list", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return boost::json::parse(result.out).at("resources").as_array().size();
}

// Exit codes of all commands, run side by side, sorted.
std::vector<int> run_together(const Node& node, const std::vector<Argv>& commands) {
  std::vector<Process> processes;
  for (const Argv& argv : commands) processes.emplace_back(node.command(argv));
  std::vector<int> codes;
  for (Process& process : processes) codes.push_back(process.wait().exit_code);
  std::sort(codes.begin(), codes.end());
  return codes;
}

std::vector<int> one_success_of(int number) {
  std::vector<int> codes(static_cast<std::size_t>(number), 1);
  codes.front() = 0;
  return codes;
}

struct BadCase {
  Argv argv;
  std::string says;
};

void expect_refused(const std::vector<BadCase>& cases) {
  const Node node;
  for (const BadCase& item : cases) {
    const Result result = node.run(item.argv);
    EXPECT_EQ(result.exit_code, 64) << result.err;
    EXPECT_THAT(result.err, testing::MatchesRegex("genapp: error: [ -~]+\n"));
    EXPECT_LT(result.err.size(), 600u);
    EXPECT_THAT(result.err, HasSubstr(item.says));
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(registry_files(node), testing::IsEmpty());
  }
}

TEST(GenappCreate, RefusesBadTagsAndIds) {
  std::vector<BadCase> cases;
  for (const std::string& bad : Argv{"a/b", "..", "../x", "/etc/x", "-x", ".x", "", "a b", "a\nb",
                                     std::string(10'000, 'x'), "\xff\xfe", "a\xc3\xa4"}) {
    cases.push_back({create(bad, "app1", "54321"), "tag"});
    cases.push_back({create("lb", bad, "54321"), "id"});
  }
  expect_refused(cases);
}

TEST(GenappCreate, RefusesABadInfo) {
  std::vector<BadCase> cases;
  for (const std::string& bad : Argv{"0", "65536", "abc", "-1", "+1", "1.5", "80x", "0x50", " 80",
                                     "99999999999999999999", "54321 \xff"}) {
    cases.push_back({create("lb", "app1", bad), "--info: "});
  }
  cases.push_back({create("lb", "app1", ""), "--info"});
  cases.push_back({create("lb", "app1", "54321 " + std::string(100'000, 'x')), "100000 bytes"});
  expect_refused(cases);
}

TEST(GenappCreate, RefusesABadKeyOrValue) {
  const auto with = [](const Argv& more) { return create("lb", "app1", "54321 OK", more); };
  expect_refused({
      {with({"--set", "hc_timeoutt=1"}), "unknown key"},
      {with({"--set", "hc_timeout=abc"}), "--set \"hc_timeout=abc\": lbhc.hc_timeout must be"},
      {with({"--set", "hc_timeout=0"}), "hc_timeout"},
      {with({"--set", "hc_timeout=-1"}), "hc_timeout"},
      {with({"--set", "hc_timeout=1e9"}), "hc_timeout"},
      {with({"--set", "drain=1", "--set", "drain=2"}), "--set \"drain=2\""},
      {with({"--set", "protocol=ftp"}), "tcp, http, haproxy-agent"},
      {with({"--set", "protocol=haproxy-agent"}), "\"OK\""},
      {with({"--set", "escapes=1"}), "true or false"},
      {with({"--set", "allow=azure"}), "list"},
      {with({"--set", "drain=1\nlisten = \"any\""}), "must be a number"},
      {with({"--set", "drain"}), "KEY=VALUE"},
      {with({"--set", "a.b=1"}), "KEY=VALUE"},
      {with({"--type", "script"}), "say what to run for restore"},
      {with({"--type", "other"}), "must be one of: lbhc, script, remote"},
      {with({"-t", "again"}), "more than once"},
      {with({"extra"}), "an argument too many"},
  });
}

TEST(GenappCreate, NamesTheSettingsLineThatIsWrong) {
  Node node;
  node.settings("[lbhc]\ndrain = \"soon\"");
  const Result result = node.run(create("lb", "app1", "54321"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("genapp.toml:3: lbhc.drain must be a number"));
  EXPECT_THAT(registry_files(node), testing::IsEmpty());
}

TEST(GenappCreate, TakesAPortWithSpacesAfterItAndAMessageByteForByte) {
  const Node node;
  EXPECT_EQ(node.run(create("a", "a", "54321   ")).exit_code, 0);
  const std::string odd = "54321 say \"hi\" \\r\\n\t\xc3\xa4 ";
  EXPECT_EQ(node.run(create("b", "b", odd)).exit_code, 0);
  const auto value = boost::json::parse(node.run({"genapp", "list", "--json"}).out);
  EXPECT_EQ(value.at("resources").at(0).at("info"), "54321   ");
  EXPECT_EQ(value.at("resources").at(1).at("info").as_string(), odd);
}

TEST(GenappCreate, WritesTheKeysAsTheyWereMeant) {
  const Node node;
  const Result result = node.run(create(
      "lb", "app1", "54321",
      {"--set", "hc_timeout=0.2", "--set", "protocol=http", "--set", "allow=[\"10.0.0.0/8\"]",
       "--set", "wait_first_probe=false", "--set", "listen=127.0.0.1", "--set", "lb_profile="}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(read_file(node.config_dir() + "/resources.d/lb.toml"),
              HasSubstr("[lbhc]\nhc_timeout = 0.2\nprotocol = \"http\"\nallow = [\"10.0.0.0/8\"]\n"
                        "wait_first_probe = false\nlisten = \"127.0.0.1\"\nlb_profile = \"\"\n"));
}

TEST(GenappCreate, MakesTheFolders) {
  const Node node;
  std::filesystem::remove_all(node.config_dir());
  EXPECT_EQ(node.run(create("lb", "app1", "54321")).exit_code, 0);
  EXPECT_EQ(listed(node), 1u);
}

TEST(GenappCreate, RefusesATagOrAnIdThatIsTaken) {
  const Node node;
  ASSERT_EQ(node.run(create("lb", "app1", "54321")).exit_code, 0);
  const std::string before = read_file(node.config_dir() + "/resources.d/lb.toml");
  const Result same_tag = node.run(create("lb", "app2", "1"));
  EXPECT_EQ(same_tag.exit_code, 1);
  EXPECT_THAT(same_tag.err, HasSubstr("the resource \"lb\" exists already"));
  const Result same_id = node.run(create("other", "app1", "1"));
  EXPECT_EQ(same_id.exit_code, 1);
  EXPECT_THAT(same_id.err, HasSubstr("the id \"app1\" is taken by the resource \"lb\""));
  EXPECT_EQ(read_file(node.config_dir() + "/resources.d/lb.toml"), before);
  EXPECT_EQ(listed(node), 1u);
}

TEST(GenappCreate, OfManyWithOneTagOneSucceeds) {
  const Node node;
  std::vector<Argv> commands;
  for (int i = 0; i < kMany; ++i) {
    commands.push_back(create("lb", "app" + std::to_string(i), std::to_string(1000 + i)));
  }
  EXPECT_EQ(run_together(node, commands), one_success_of(kMany));
  EXPECT_EQ(listed(node), 1u);
}

TEST(GenappCreate, OfManyWithOneIdOneSucceeds) {
  const Node node;
  std::vector<Argv> commands;
  for (int i = 0; i < kMany; ++i) commands.push_back(create("lb" + std::to_string(i), "app", "1"));
  EXPECT_EQ(run_together(node, commands), one_success_of(kMany));
  EXPECT_EQ(listed(node), 1u);
}

TEST(GenappCreate, OfManyDifferentOnesNoneIsLost) {
  const Node node;
  std::vector<Argv> commands;
  for (int i = 0; i < kMany; ++i) {
    commands.push_back(create("lb" + std::to_string(i), "app" + std::to_string(i), "54321"));
  }
  EXPECT_EQ(run_together(node, commands), std::vector<int>(kMany, 0));
  EXPECT_EQ(listed(node), static_cast<std::size_t>(kMany));
}

TEST(GenappCreate, IsNotHeldUpByWhatACrashLeft) {
  const Node node;
  const std::string folder = node.config_dir() + "/resources.d/";
  write_file(folder + ".lb.toml.new", "type = \"lb");
  write_file(folder + ".lock", "");
  EXPECT_THAT(node.run({"genapp", "list"}).out, HasSubstr("no resources"));
  EXPECT_EQ(node.run(create("lb", "app1", "54321")).exit_code, 0);
  EXPECT_THAT(registry_files(node), testing::ElementsAre(".lock", "lb.toml"));
  EXPECT_EQ(listed(node), 1u);
}

TEST(GenappCreate, SaysThatTheRegistryIsNoFolder) {
  const Node node;
  std::filesystem::remove(node.config_dir() + "/resources.d");
  write_file(node.config_dir() + "/resources.d", "");
  const Result result = node.run(create("lb", "app1", "54321"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("resources.d is not a directory"));
}

TEST(GenappCreate, SaysThatTheRegistryCanNotBeWritten) {
  const Node node;
  const std::string folder = node.config_dir() + "/resources.d";
  std::filesystem::permissions(folder, std::filesystem::perms(0555));
  Argv argv = create("lb", "app1", "54321");
  argv[0] = program("genapp");
  if (::geteuid() == 0) {
    ASSERT_TRUE(installed("setpriv")) << "root may write everywhere: install util-linux";
    // Root without capabilities obeys the permissions.
    argv.insert(argv.begin(), {"/usr/bin/setpriv", "--bounding-set=-all"});
  }
  const Result result = node.run(argv);
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr(folder));
  EXPECT_THAT(result.err, HasSubstr("Permission denied"));
  EXPECT_THAT(registry_files(node), testing::IsEmpty());
}

TEST(GenappCreate, LeavesLifeKeepersResourcesToLifeKeeper) {
  Node node;
  node.settings("cluster = \"lifekeeper\"");
  const Result result = node.run(create("lb", "app1", "54321"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("LifeKeeper"));
  EXPECT_THAT(registry_files(node), testing::IsEmpty());
}

TEST(GenappList, NamesUnreadableFilesAndListsTheOthers) {
  Node node;
  node.lbhc("good", "app1", "54321 OK");
  node.resource_file("broken", "type = \"lbhc\"\nid = \"x\"\ninfo = [\n");
  node.resource_file("typo", "type = \"lbhc\"\nid = \"y\"\ninfos = \"1\"\n");
  node.resource_file("huge", std::string((1 << 20) + 1, '#'));
  node.resource_file("binary", std::string("\xff\0\x1b", 3));
  std::filesystem::create_directory(node.config_dir() + "/resources.d/folder.toml");
  const Result result = node.run({"genapp", "list"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("\ngood    app1  lbhc  54321 OK\n"));
  EXPECT_THAT(result.err,
              HasSubstr("\"broken\": " + node.config_dir() + "/resources.d/broken.toml:"));
  EXPECT_THAT(result.err, HasSubstr("typo.toml:3: unknown key \"infos\""));
  EXPECT_THAT(result.err, HasSubstr("huge.toml is larger than"));
  EXPECT_THAT(result.err, HasSubstr("folder.toml is not a regular file"));
  EXPECT_THAT(result.err, testing::MatchesRegex("(genapp: error: [ -~]+\n)+"));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 5);
}

TEST(GenappList, ShortensAMegabyteOfMessage) {
  Node node;
  node.lbhc("lb", "app1", "54321 " + std::string(1'000'000, 'x'));
  const Result result = node.run({"genapp", "list"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_LT(result.out.size(), 300u);
}

TEST(GenappList, PassesOverWhatIsNoResourceFile) {
  Node node;
  node.lbhc("lb", "app1", "54321");
  for (const char* name : {"lb.toml~", ".hidden.toml", "README", "-x.toml", "a b.toml"}) {
    write_file(node.config_dir() + "/resources.d/" + name, "garbage");
  }
  EXPECT_EQ(listed(node), 1u);
}

TEST(GenappCreate, WritesKeysOfTheAgent) {
  const Node node;
  const Result made = node.run(
      create("lb", "app1", "54321 OK", {"--agent", "group=web", "--agent", "restart_limit=2"}));
  EXPECT_EQ(made.exit_code, 0) << made.err;
  EXPECT_THAT(read_file(node.config_dir() + "/resources.d/lb.toml"),
              HasSubstr("[agent]\ngroup = \"web\"\nrestart_limit = 2\n"));
  const Result wrong = node.run(create("b", "app2", "54322", {"--agent", "restart_limit=-1"}));
  EXPECT_EQ(wrong.exit_code, 64);
  EXPECT_THAT(wrong.err, HasSubstr("--agent \"restart_limit=-1\": agent.restart_limit must be"));
  EXPECT_EQ(listed(node), 1u);
}

}  // namespace
}  // namespace genapp::tests
