#include "ctl/list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>

namespace genapp::ctl {
namespace {

cluster::Registry::Entry entry(const std::string& tag, const std::string& info) {
  return {tag, cluster::parse_resource(common::Tag(tag), tag + ".toml",
                                       "type = \"lbhc\"\nid = \"id-" + tag +
                                           "\"\ninfo = " + common::toml_quoted(info) + "\n")};
}

cluster::Registry::Entry broken(const std::string& tag) {
  return {tag, std::string("/x/") + tag + ".toml:3: no\ngood"};
}

TEST(ListTable, HasARowForEachResource) {
  EXPECT_EQ(list_table({broken("bad"), entry("lb", "54321 OK")}),
            "TAG  ID     TYPE  INFO\n"
            "bad  ?      ?     ?\n"
            "lb   id-lb  lbhc  54321 OK\n");
}

TEST(ListTable, KeepsAnInfoOnItsLineAndShort) {
  const std::string table = list_table({entry("lb", "1 a\nb\033" + std::string(1'000'000, 'x'))});
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2);
  EXPECT_EQ(table.find('\033'), std::string::npos);
  EXPECT_LT(table.size(), 300u);
}

TEST(ListTable, OfNothingSaysHowToMakeAResource) {
  EXPECT_THAT(list_table({}), testing::HasSubstr("genapp create"));
}

TEST(ListJson, HasTheWholeInfo) {
  const auto value = boost::json::parse(list_json({broken("bad"), entry("lb", "1 \"\n\xc3\xa4")}));
  EXPECT_EQ(value.at("version"), 1);
  const auto& bad = value.at("resources").at(0);
  EXPECT_EQ(bad.at("tag"), "bad");
  EXPECT_TRUE(bad.at("id").is_null());
  EXPECT_EQ(bad.at("error"), "/x/bad.toml:3: no\\ngood");
  const auto& lb = value.at("resources").at(1);
  EXPECT_EQ(lb.at("id"), "id-lb");
  EXPECT_EQ(lb.at("type"), "lbhc");
  EXPECT_EQ(lb.at("info"), "1 \"\n\xc3\xa4");
  EXPECT_TRUE(lb.at("error").is_null());
}

TEST(ListJson, OfNothingIsAnEmptyList) {
  EXPECT_EQ(list_json({}), "{\"version\":1,\"resources\":[]}\n");
}

TEST(ListProblems, AreOneLineEach) {
  EXPECT_EQ(list_problems({broken("bad"), entry("lb", "1")}),
            "genapp: error: \"bad\": /x/bad.toml:3: no\\ngood\n");
}

}  // namespace
}  // namespace genapp::ctl
