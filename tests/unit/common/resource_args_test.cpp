#include "common/resource_args.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace genapp::common {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ResourceArgs parse(std::vector<const char*> words) {
  words.insert(words.begin(), "restore");
  return parse_resource_args(static_cast<int>(words.size()), words.data());
}

// The error's text; the exit code must be that of a wrong command line, the text one line.
std::string usage_error(std::vector<const char*> words) {
  try {
    parse(std::move(words));
  } catch (const Error& problem) {
    EXPECT_EQ(problem.exit_code(), ExitCode::usage) << problem.what();
    EXPECT_EQ(std::string(problem.what()).find('\n'), std::string::npos) << problem.what();
    return problem.what();
  }
  return "";
}

TEST(ResourceArgs, TakesBothOptionsInAnyOrderAndForm) {
  const std::vector<std::vector<const char*>> lines{
      {"-t", "lb", "-i", "app1"}, {"-i", "app1", "-t", "lb"}, {"--tag", "lb", "--id", "app1"},
      {"--id=app1", "--tag=lb"},  {"-tlb", "-iapp1"},         {"-t", "lb", "--id", "app1"},
  };
  for (const auto& line : lines) {
    const ResourceArgs args = parse(line);
    EXPECT_EQ(args.tag.text(), "lb");
    EXPECT_EQ(args.id.text(), "app1");
    EXPECT_THAT(args.ignored, IsEmpty());
  }
}

TEST(ResourceArgs, KeepsUnknownArgumentsWhereverTheyStand) {
  EXPECT_THAT(parse({"-t", "lb", "-i", "app1", "more", "--force", "-x"}).ignored,
              ElementsAre("more", "--force", "-x"));
  EXPECT_THAT(parse({"more", "-t", "lb", "-i", "app1"}).ignored, ElementsAre("more"));
  EXPECT_THAT(parse({"-t", "lb", "-i", "app1", "--level=3"}).ignored, ElementsAre("--level=3"));
}

// LifeKeeper passes further arguments after "--": none of them is ours, not even "-t".
TEST(ResourceArgs, ReadsNothingAfterTwoDashes) {
  const ResourceArgs args = parse({"-t", "lb", "-i", "app1", "--", "-t", "other", "--id=x"});
  EXPECT_EQ(args.tag.text(), "lb");
  EXPECT_EQ(args.id.text(), "app1");
  EXPECT_THAT(args.ignored, testing::Contains("other"));
  EXPECT_THAT(args.ignored, testing::Contains("--id=x"));
  EXPECT_THAT(usage_error({"--", "-t", "lb", "-i", "app1"}), HasSubstr("-t TAG"));
}

TEST(ResourceArgs, DoesNotGuessAbbreviations) {
  EXPECT_THAT(usage_error({"--ta", "lb", "-i", "app1"}), HasSubstr("missing -t TAG"));
  EXPECT_THAT(usage_error({"-t", "lb", "--i", "app1"}), HasSubstr("missing -i ID"));
}

TEST(ResourceArgs, SaysWhichOptionIsMissing) {
  EXPECT_THAT(usage_error({}), HasSubstr("missing -t TAG"));
  EXPECT_THAT(usage_error({"-i", "app1"}), HasSubstr("missing -t TAG"));
  EXPECT_THAT(usage_error({"-t", "lb"}), HasSubstr("missing -i ID"));
  EXPECT_THAT(usage_error({"lb", "app1"}), HasSubstr("missing -t TAG"));
}

TEST(ResourceArgs, RefusesAnOptionGivenTwice) {
  EXPECT_THAT(usage_error({"-t", "lb", "-i", "app1", "-t", "lb"}), HasSubstr("tag"));
  EXPECT_THAT(usage_error({"-t", "lb", "-i", "app1", "--id", "app1"}), HasSubstr("id"));
}

TEST(ResourceArgs, RefusesAnOptionWithoutValue) {
  EXPECT_NE(usage_error({"-i", "app1", "-t"}), "");
  EXPECT_NE(usage_error({"-t", "lb", "-i"}), "");
  EXPECT_NE(usage_error({"-t", "-i", "app1"}), "");
  EXPECT_NE(usage_error({"--tag=", "-i", "app1"}), "");
}

TEST(ResourceArgs, RefusesWhatIsNoTagOrId) {
  EXPECT_THAT(usage_error({"-t", "", "-i", "app1"}), HasSubstr("tag"));
  EXPECT_THAT(usage_error({"-t", "lb", "-i", ""}), HasSubstr("id"));
  EXPECT_THAT(usage_error({"-t", "lb", "-i", "../etc"}), HasSubstr("id \"../etc\""));
  EXPECT_THAT(usage_error({"-t", "l\nb", "-i", "app1"}), HasSubstr("\\n"));
  EXPECT_THAT(usage_error({"-t", "lb", "-i", "\xff\xfe"}), HasSubstr("\\xff\\xfe"));
  const std::string long_id(10'000, 'x');
  EXPECT_LT(usage_error({"-t", "lb", "-i", long_id.c_str()}).size(), 500u);
}

// A cluster's own further arguments are ignored whatever they look like.
TEST(ResourceArgs, NoFurtherArgumentMakesItFail) {
  for (const char* further :
       {"--foo=", "--foo", "-", "--=", "=", "", "-x=", "---", "--\xff", "-\xff"}) {
    EXPECT_EQ(usage_error({"-t", "lb", "-i", "app1", further}), "") << '"' << further << '"';
  }
}

}  // namespace
}  // namespace genapp::common
