#include "common/identifier.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace genapp::common {
namespace {

TEST(Identifier, TakesTheDocumentedCharacters) {
  for (const char* text : {"a", "_", "0", "app4238", "lb.web:1@host-2", "A_b"}) {
    EXPECT_TRUE(is_identifier(text)) << text;
  }
  EXPECT_TRUE(is_identifier(std::string(64, 'a')));
}

TEST(Identifier, RefusesWhatCouldLeaveAFolderOrLookLikeAnOption) {
  for (const char* text : {"", "-a", ".a", "..", "a/b", "../x", "/x", "a b", "a\nb", "a\xc3\xa4"}) {
    EXPECT_FALSE(is_identifier(text)) << text;
  }
  EXPECT_FALSE(is_identifier(std::string(65, 'a')));
  EXPECT_FALSE(is_identifier(std::string("a\0b", 3)));
}

TEST(Identifier, SaysWhatIsWrongOnOneLineAndExits64) {
  try {
    Id("../\n\xff");
    FAIL() << "taken";
  } catch (const Error& problem) {
    EXPECT_EQ(problem.exit_code(), ExitCode::usage);
    EXPECT_NE(std::string(problem.what()).find("id \"../\\n\\xff\" is not valid"),
              std::string::npos)
        << problem.what();
  }
}

TEST(Identifier, ShortensWhatIsTooLong) {
  try {
    Tag(std::string(10'000, 'x'));
    FAIL() << "taken";
  } catch (const Error& problem) {
    EXPECT_LT(std::string(problem.what()).size(), 300u);
    EXPECT_NE(std::string(problem.what()).find("(10000 bytes)"), std::string::npos);
  }
}

}  // namespace
}  // namespace genapp::common
