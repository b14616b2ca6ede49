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

// RFC 3629, section 4: the first and the last of each length.
TEST(PrintableUtf8, LeavesEveryCharacterAlone) {
  for (const char* text :
       {"a", " ", "~", "\"", "\\", "\xc2\xa0", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
        "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
        "gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x98\x80!"}) {
    EXPECT_EQ(printable_utf8(text), text);
  }
}

// What is no character is escaped byte for byte, and what follows is read afresh.
TEST(PrintableUtf8, EscapesWhatIsNone) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\x80", "\\x80"},                             // a continuation alone
      {"\xbf", "\\xbf"},                             //
      {"\xc0\x80", "\\xc0\\x80"},                    // overlong
      {"\xc1\xbf", "\\xc1\\xbf"},                    //
      {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},           //
      {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},  //
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},           // surrogates
      {"\xed\xbf\xbf", "\\xed\\xbf\\xbf"},           //
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  // beyond U+10FFFF
      {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},  //
      {"\xff", "\\xff"},                             //
      {"\xc3", "\\xc3"},                             // cut off
      {"\xe2\x82", "\\xe2\\x82"},                    //
      {"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},           //
      {"\xc3(", "\\xc3("},                           // no continuation
      {"\xe2\x82(", "\\xe2\\x82("},                  //
      {"\xe2\xc3\xa4", "\\xe2\xc3\xa4"},             //
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(printable_utf8(text), expected);
}

TEST(PrintableUtf8, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable_utf8(std::string("a\n\r\t\x1b\0\x7f", 7)), "a\\n\\r\\t\\x1b\\x00\\x7f");
  // U+0080 to U+009f: U+009b begins a control sequence as ESC [ does.
  EXPECT_EQ(printable_utf8("\xc2\x80\xc2\x9b\xc2\x9f"), "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f");
}

TEST(PrintableUtf8, CutsAndTellsTheLength) {
  EXPECT_EQ(printable_utf8("abcdef", 3), "abc... (6 bytes)");
  EXPECT_EQ(printable_utf8("", 3), "");
}

}  // namespace
}  // namespace genapp::common
