#include "remote/output.hpp"

#include <gtest/gtest.h>

namespace genapp::remote {
namespace {

TEST(RemoteOutput, ComesBackAsItWas) {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{255}, std::uint64_t{256},
                                     std::uint64_t{0x0102030405060708}, UINT64_MAX}) {
    for (const Output stream : {Output::out, Output::err}) {
      const std::string message = output_header(stream, offset) + std::string("a\0b", 3);
      const auto chunk = parse_output(message);
      ASSERT_TRUE(chunk);
      EXPECT_EQ(chunk->stream, stream);
      EXPECT_EQ(chunk->offset, offset);
      EXPECT_EQ(chunk->bytes, std::string_view("a\0b", 3));
    }
  }
}

TEST(RemoteOutput, HasTheHighestByteFirst) {
  EXPECT_EQ(output_header(Output::err, 0x0102), std::string("\2\0\0\0\0\0\0\1\2", 9));
}

TEST(RemoteOutput, OfAnotherFormIsNone) {
  const std::string header = output_header(Output::out, 7);
  EXPECT_FALSE(parse_output(""));
  EXPECT_FALSE(parse_output(header));  // no byte
  EXPECT_FALSE(parse_output('\0' + header.substr(1) + "x"));
  EXPECT_FALSE(parse_output('\3' + header.substr(1) + "x"));
  EXPECT_TRUE(parse_output(header + std::string(kMostChunkBytes, 'x')));
  EXPECT_FALSE(parse_output(header + std::string(kMostChunkBytes + 1, 'x')));
}

}  // namespace
}  // namespace genapp::remote
