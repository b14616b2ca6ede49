#include "cluster/resource.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::cluster {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kPath[] = "/etc/genapp/resources.d/lb.toml";

Resource parse(std::string_view text) { return parse_resource(common::Tag("lb"), kPath, text); }
std::string error(std::string_view text) {
  return tests::error_of([&] { parse(text); });
}
// "PATH:LINE: "
std::string at(int line) { return std::string(kPath) + ":" + std::to_string(line) + ": "; }

TEST(Resource, IsReadFromItsFile) {
  const Resource resource =
      parse("type = \"lbhc\"\nid = \"app4238\"\ninfo = \"54321 OK \"\n[lbhc]\nhc_timeout = 5\n");
  EXPECT_EQ(resource.tag.text(), "lb");
  EXPECT_EQ(resource.id.text(), "app4238");
  EXPECT_EQ(resource.type, "lbhc");
  EXPECT_EQ(resource.info, "54321 OK ");
  ASSERT_NE(resource.file.find("lbhc", "hc_timeout"), nullptr);
  EXPECT_EQ(resource.file.path(), kPath);
}

// What info must hold is the application's affair.
TEST(Resource, MayHaveNoInfo) { EXPECT_EQ(parse("type = \"lbhc\"\nid = \"a\"\n").info, ""); }

TEST(Resource, NeedsTypeAndId) {
  EXPECT_THAT(error(""), testing::AllOf(StartsWith(kPath), HasSubstr("key type is missing")));
  EXPECT_THAT(error("type = \"lbhc\"\n"), HasSubstr("key id is missing"));
  EXPECT_THAT(error("id = \"a\"\n"), HasSubstr("key type is missing"));
  // Under the table's heading they are other keys.
  EXPECT_NE(error("[lbhc]\ntype = \"lbhc\"\nid = \"a\"\n"), "");
}

TEST(Resource, NamesTheLineOfAWrongType) {
  EXPECT_THAT(error("type = 5\nid = \"a\"\n"), StartsWith(at(1) + "type must be a string"));
  EXPECT_THAT(error("type = \"lbhc\"\nid = 4238\n"), StartsWith(at(2) + "id must be a string"));
  EXPECT_THAT(error("type = \"lbhc\"\nid = \"a\"\ninfo = 54321\n"),
              StartsWith(at(3) + "info must be a string"));
  EXPECT_THAT(error("type = \"lbhc\"\nid = \"a\"\ninfo = [\"54321\"]\n"), StartsWith(at(3)));
}

TEST(Resource, KnowsItsTypes) {
  EXPECT_EQ(parse("id = \"a\"\ntype = \"lbhc\"\n").type, kLbhc);
  EXPECT_EQ(parse("id = \"a\"\ntype = \"script\"\n").type, kScript);
  EXPECT_EQ(parse("id = \"a\"\ntype = \"remote\"\n").type, kRemote);
  EXPECT_THAT(error("id = \"a\"\ntype = \"other\"\n"),
              testing::AllOf(StartsWith(at(2)), HasSubstr("lbhc, script, remote")));
  EXPECT_THAT(error("id = \"a\"\ntype = \"LBHC\"\n"), StartsWith(at(2) + "type is \"LBHC\""));
  EXPECT_THAT(error("id = \"a\"\ntype = \"\"\n"), StartsWith(at(2)));
}

TEST(Resource, RefusesAnIdThatCouldLeaveAFolder) {
  for (const char* id : {"", "../x", "a/b", ".", "-i", "a b", "a\\nb", "a\\u0000"}) {
    const std::string problem = error("type = \"lbhc\"\n\nid = \"" + std::string(id) + "\"\n");
    EXPECT_THAT(problem, StartsWith(at(3) + "id is ")) << id;
    EXPECT_EQ(problem.find('\n'), std::string::npos);
  }
}

TEST(Resource, NamesTheLineOfUnknownKeysAndTables) {
  EXPECT_THAT(error("type = \"lbhc\"\nid = \"a\"\ninof = \"1\"\n"),
              StartsWith(at(3) + "unknown key \"inof\""));
  EXPECT_THAT(error("type = \"lbhc\"\nid = \"a\"\n[script]\n"),
              StartsWith(at(3) + "unknown table \"script\""));
  EXPECT_THAT(error("type = \"lbhc\"\nid = \"a\"\n[lbhc]\nx = {y = 1}\n"), StartsWith(at(4)));
  EXPECT_THAT(error("type = \"lbhc\"\nid = \"a\"\nlbhc = 1\n"), StartsWith(at(3)));
}

// A table of another type would be read by nobody.
TEST(Resource, HasTheTableOfItsTypeAlone) {
  const Resource script = parse("type = \"script\"\nid = \"a\"\n[script]\nfolder = \"/a\"\n");
  ASSERT_NE(script.file.find("script", "folder"), nullptr);
  EXPECT_THAT(error("type = \"script\"\nid = \"a\"\n[lbhc]\ndrain = 1\n"),
              StartsWith(at(3) + "unknown table \"lbhc\""));
}

// What is wrong in the agent's tables is the agent's to say: an action works all the same.
TEST(Resource, MayHaveTheAgentsTablesWhateverIsInThem) {
  const Resource resource = parse(
      "type = \"lbhc\"\nid = \"a\"\n[lbhc]\ndrain = 1\n[agent]\nno_such_key = 1\n"
      "[monitor.\"no name\"]\nkind = 5\n[monitor.db]\n");
  EXPECT_NE(resource.file.find("agent", "no_such_key"), nullptr);
  EXPECT_NE(resource.file.find("monitor.no name", "kind"), nullptr);
}

TEST(Resource, HasNoOtherTablesWithinTables) {
  const std::string head = "type = \"lbhc\"\nid = \"a\"\n";
  for (const char* other : {"agent.lbhc", "agent.script", "group.web", "lbhc.x", "monitor", "group",
                            "script", "remote"}) {
    EXPECT_THAT(error(head + "[" + other + "]\n"), StartsWith(at(3) + "unknown table \"" + other +
                                                              "\"; known here: lbhc, agent, "
                                                              "monitor.*"));
  }
  EXPECT_THAT(error(head + "[monitor]\nkind = \"custom\"\n"),
              StartsWith(at(3) + "unknown table \"monitor\""));
  EXPECT_THAT(error(head + "[monitor.db.x]\n"), StartsWith(at(3)));
}

TEST(Resource, NamesTheLineOfASyntaxError) {
  EXPECT_THAT(error("type = \"lbhc\"\nid = app\n"), StartsWith(at(2)));
}

}  // namespace
}  // namespace genapp::cluster
