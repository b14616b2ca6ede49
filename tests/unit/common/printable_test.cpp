#include "common/printable.hpp"

#include <gtest/gtest.h>

namespace genapp::common {
namespace {

TEST(Printable, LeavesPlainTextAlone) {
  EXPECT_EQ(printable("port 54321 is \"in use\" \\ ~"), "port 54321 is \"in use\" \\ ~");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\nb\rc\td"), "a\\nb\\rc\\td");
  EXPECT_EQ(printable(std::string("\x1b[2J\0\x7f\xff", 7)), "\\x1b[2J\\x00\\x7f\\xff");
}

TEST(Printable, NeverLeavesAByteOutsideAscii) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    for (const std::string& text : {common::printable(one), common::quoted(one)}) {
      for (const char c : text) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << byte;
    }
  }
}

TEST(Printable, CutsAndTellsTheLength) {
  EXPECT_EQ(printable("abcdef", 3), "abc... (6 bytes)");
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(common::quoted("abcdef", 3), "\"abc\"... (6 bytes)");
  EXPECT_LT(common::quoted(std::string(1 << 20, 'x')).size(), 200u);
}

TEST(Quoted, EscapesItsQuotes) {
  EXPECT_EQ(common::quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(common::quoted(""), "\"\"");
}

}  // namespace
}  // namespace genapp::common
