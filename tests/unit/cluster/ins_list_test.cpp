#include "cluster/ins_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::cluster {
namespace {

using common::State;
using common::Tag;
using testing::AllOf;
using testing::HasSubstr;
using tests::error_of;

// Fields joined by byte 1.
std::string line(const std::vector<std::string>& fields) {
  std::string text;
  for (const std::string& field : fields) text += field + "\x01";
  text.back() = '\n';
  return text;
}

std::string record(const std::string& state = "ISP", const std::string& info = "54321 OK") {
  return line({"node-a", "gen", "app", "lb", "app1", info, state, "further", ""});
}

std::string problem_of(const std::string& printed) {
  return error_of([&] { (void)parse_ins_list(Tag("lb"), printed); });
}

TEST(InsList, GivesIdInfoAndState) {
  const InsListRecord read = parse_ins_list(Tag("lb"), record());
  EXPECT_EQ(read.id, "app1");
  EXPECT_EQ(read.info, "54321 OK");
  EXPECT_EQ(read.state, State::in_service_protected);
}

TEST(InsList, KnowsLifeKeepersFourStates) {
  EXPECT_EQ(parse_ins_list(Tag("lb"), record("ISU")).state, State::in_service_unprotected);
  EXPECT_EQ(parse_ins_list(Tag("lb"), record("OSU")).state, State::out_unimpaired);
  EXPECT_EQ(parse_ins_list(Tag("lb"), record("OSF")).state, State::out_failed);
}

TEST(InsList, TakesFieldsBeyondTheStateOrNone) {
  const std::string least = line({"", "", "", "lb", "", "", "OSU"});
  const InsListRecord read = parse_ins_list(Tag("lb"), least);
  EXPECT_EQ(read.id, "");
  EXPECT_EQ(read.info, "");
  EXPECT_EQ(parse_ins_list(Tag("lb"), least.substr(0, least.size() - 1)).state,
            State::out_unimpaired);
  EXPECT_NO_THROW(parse_ins_list(
      Tag("lb"), line({"n", "gen", "app", "lb", "app1", "1", "ISP", "", "", "x", "y", "z"})));
  EXPECT_NO_THROW(parse_ins_list(Tag("lb"), "\n" + record() + "\n"));
}

TEST(InsList, KeepsInfoByteForByte) {
  const std::string info = "54321  a\tb \xff# \\n";
  EXPECT_EQ(parse_ins_list(Tag("lb"), record("ISP", info)).info, info);
}

TEST(InsList, RefusesNothing) {
  EXPECT_THAT(problem_of(""), HasSubstr("no record: LifeKeeper has no resource \"lb\""));
  EXPECT_THAT(problem_of("\n\n"), HasSubstr("no record"));
}

TEST(InsList, RefusesTwoRecords) {
  EXPECT_THAT(problem_of(record() + record()), HasSubstr("more than one record"));
  EXPECT_THAT(problem_of(record() + "garbage"), HasSubstr("more than one record"));
}

TEST(InsList, RefusesGarbage) {
  EXPECT_THAT(problem_of("LifeKeeper is not running\n"),
              AllOf(HasSubstr("\"LifeKeeper is not running\""), HasSubstr("1 fields")));
  EXPECT_THAT(problem_of("node-a gen app lb app1 54321 ISP\n"), HasSubstr("no record"));
  EXPECT_THAT(problem_of(line({"node-a", "gen", "app", "lb", "app1", "54321"})),
              HasSubstr("6 fields, at least 7"));
  EXPECT_THAT(problem_of("\x01\x02\xff" + std::string(100'000, 'x')), HasSubstr("bytes)"));
}

TEST(InsList, RefusesAnotherTag) {
  EXPECT_THAT(problem_of(line({"n", "gen", "app", "lb2", "app1", "1", "ISP"})),
              HasSubstr("of the tag \"lb2\", not of \"lb\""));
}

TEST(InsList, RefusesAnotherState) {
  for (const std::string state : {"", "isp", "ISP ", "UNKNOWN", "ISPX"}) {
    EXPECT_THAT(problem_of(record(state)), HasSubstr("none of ISP, ISU, OSU, OSF")) << state;
  }
}

TEST(InsListExit, SaysWhatTheCodeMeansAndWhatToDo) {
  EXPECT_THAT(ins_list_exit_text(Tag("lb"), 7),
              AllOf(HasSubstr("7 (no such object)"), HasSubstr("no resource \"lb\"")));
  EXPECT_THAT(ins_list_exit_text(Tag("lb"), 9),
              AllOf(HasSubstr("9 (remote communication error)"), HasSubstr("ins_list -t lb")));
  EXPECT_THAT(ins_list_exit_text(Tag("lb"), 42), testing::StartsWith("42: is LifeKeeper running?"));
}

}  // namespace
}  // namespace genapp::cluster
