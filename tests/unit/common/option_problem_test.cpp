#include "common/option_problem.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/program_options.hpp>

#include "common/resource_args.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

namespace po = boost::program_options;

TEST(OptionProblem, IsInTheLibrarysWordsOnOneLine) {
  const po::unknown_option problem("--so\nme\x1b");
  EXPECT_THAT(option_problem(problem, {"create", "--so\nme\x1b"}),
              testing::AllOf(testing::HasSubstr("unrecognised option"),
                             testing::HasSubstr("so\\nme\\x1b")));
  EXPECT_THAT(option_problem(problem, {"create", "--info", "80 up 50%"}),
              testing::HasSubstr("unrecognised option"));
}

// Program_options would fill in such a word for ever. In a child, which the deadline below ends.
TEST(OptionProblem, EndsWhateverTheArgumentsAre) {
  for (const char* word : {"%original_token%", "%option%", "%canonical_option%", "%prefix%",
                           "%value%", "x%original_token%y", "%%"}) {
    tests::Child child([&] {
      ::alarm(20);
      const std::string text = word;
      const std::string problem = option_problem(po::unknown_option(text), {"create", text});
      return problem == "an option is unknown, given twice or without its value" ? 0 : 1;
    });
    EXPECT_EQ(child.wait(), 0) << word;
  }
}

TEST(OptionProblem, EndsForACommandLineToo) {
  for (const std::string& twice :
       {std::string("--tag=%original_token%"), std::string("-t%canonical_option%"),
        std::string("-t%option%")}) {
    tests::Child child([&] {
      ::alarm(20);
      const char* argv[] = {"restore", twice.c_str(), twice.c_str(), "-i", "app1"};
      return tests::error_of([&] { parse_resource_args(5, argv); }).empty() ? 1 : 0;
    });
    EXPECT_EQ(child.wait(), 0) << twice;
  }
}

}  // namespace
}  // namespace genapp::common
