#include "lbhc/info.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/common/testing.hpp"

namespace genapp::lbhc {
namespace {

using testing::HasSubstr;
using tests::error_of;

std::string info_error(std::string_view text) {
  return error_of([&] { parse_info(text); });
}

TEST(Info, IsAPortAndNothingElse) {
  EXPECT_EQ(parse_info("54321").port, 54321);
  EXPECT_EQ(parse_info("54321").message, "");
}

// Everything after the first run of white space, byte for byte.
TEST(Info, KeepsTheMessagesBytes) {
  EXPECT_EQ(parse_info("54321 OK").message, "OK");
  EXPECT_EQ(parse_info("54321 \t  OK").message, "OK");
  EXPECT_EQ(parse_info("54321 OK  two   three").message, "OK  two   three");
  EXPECT_EQ(parse_info("54321 OK \t ").message, "OK \t ");
  EXPECT_EQ(parse_info("54321\nOK\r\n").message, "OK\r\n");
  const std::string bytes = std::string("\0\x01\xff\"\\", 5);
  EXPECT_EQ(parse_info("1 x" + bytes).message, "x" + bytes);
}

TEST(Info, WhiteSpaceAfterThePortIsNoMessage) {
  for (const char* text : {"54321 ", "54321   ", "54321\t", "54321\n", "54321\r\n"}) {
    EXPECT_EQ(parse_info(text).port, 54321) << text;
    EXPECT_EQ(parse_info(text).message, "") << text;
  }
}

TEST(Info, TakesEveryPortThereIs) {
  EXPECT_EQ(parse_info("1").port, 1);
  EXPECT_EQ(parse_info("65535 x").port, 65535);
  EXPECT_EQ(parse_info("00080").port, 80);
}

TEST(Info, RefusesWhatIsNoPort) {
  for (const char* text :
       {"0", "65536", "-1", "+80", "abc", "80abc", "0x50", "80.", "8e1", "1e3", "4294967377",
        "18446744073709551696", "80,OK", "80:OK", "OK 80", "\xff"}) {
    EXPECT_THAT(info_error(text), HasSubstr("must be a number from 1 to 65535")) << text;
  }
  EXPECT_THAT(info_error(std::string("80\0", 3)), HasSubstr("1 to 65535"));
}

TEST(Info, SaysThatThereIsNoPort) {
  for (const char* text : {"", " ", " 80", "\t80 OK", "\n"}) {
    EXPECT_THAT(info_error(text), HasSubstr("has no port")) << '"' << text << '"';
  }
}

TEST(Info, BoundsTheMessage) {
  const std::string most(kMostMessageBytes, 'x');
  EXPECT_EQ(parse_info("80 " + most).message, most);
  EXPECT_THAT(info_error("80 " + most + "x"), HasSubstr("4097 bytes, at most 4096"));
  const std::string huge = info_error("80 " + std::string(1 << 20, 'x'));
  EXPECT_THAT(huge, HasSubstr("1048576 bytes"));
  EXPECT_LT(huge.size(), 300u);
  EXPECT_LT(info_error(std::string(1 << 20, '9')).size(), 500u);
}

TEST(Escapes, AreDecoded) {
  EXPECT_EQ(decode_escapes("HTTP/1.0 200 OK\\r\\n\\r\\n"), "HTTP/1.0 200 OK\r\n\r\n");
  EXPECT_EQ(decode_escapes("\\a\\b\\e\\f\\n\\r\\t\\v"), "\a\b\x1b\f\n\r\t\v");
  EXPECT_EQ(decode_escapes("\\\\n\\\"\\'"), "\\n\"'");
  EXPECT_EQ(decode_escapes("a\\0b"), std::string("a\0b", 3));
  EXPECT_EQ(decode_escapes("\\x00\\xfF\\x41B"), std::string("\0\xff\x41"
                                                            "B",
                                                            4));
  EXPECT_EQ(decode_escapes("\\x414"), "A4");
  EXPECT_EQ(decode_escapes(""), "");
  EXPECT_EQ(decode_escapes("no escapes \xff"), "no escapes \xff");
}

TEST(Escapes, EveryByteCanBeWritten) {
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    ::snprintf(text, sizeof text, "\\x%02x", static_cast<unsigned>(byte));
    EXPECT_EQ(decode_escapes(text), std::string(1, static_cast<char>(byte)));
  }
}

TEST(Escapes, OtherOnesAreErrorsThatShowThem) {
  for (const char* text :
       {"\\", "a\\", "\\q", "\\x", "\\x4", "\\xg1", "\\x1g", "\\1", "\\N", "\\u0041"}) {
    const std::string problem = error_of([&] { decode_escapes(text); });
    EXPECT_THAT(problem, HasSubstr("is no C escape")) << text;
    EXPECT_THAT(problem, HasSubstr("reply message \"")) << text;
  }
  EXPECT_THAT(error_of([] { decode_escapes("ok\\qx"); }), HasSubstr("\"\\\\q\" is no C escape"));
  EXPECT_NE(error_of([] { decode_escapes(std::string_view("\\\0", 2)); }), "");
}

}  // namespace
}  // namespace genapp::lbhc
