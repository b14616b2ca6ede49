#include "script/output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::script {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Bounds that a test can reach.
constexpr OutputBounds kSmall{.line_bytes = 8, .log_bytes = 32, .tail_lines = 3};

// What was logged: "o:" or "e:" and the line.
class OutputTest : public testing::Test {
 protected:
  Output make(OutputBounds bounds = kSmall) {
    return {bounds, [this](Stream stream, std::string_view line) {
              logged_.push_back((stream == Stream::out ? "o:" : "e:") + std::string(line));
            }};
  }

  std::vector<std::string> logged_;
};

TEST_F(OutputTest, NamesItsStreams) {
  EXPECT_EQ(stream_name(Stream::out), "stdout");
  EXPECT_EQ(stream_name(Stream::err), "stderr");
}

TEST_F(OutputTest, CutsLinesAsTheyCome) {
  Output output = make();
  output.put(Stream::out, "a\nb\n\nc");
  EXPECT_THAT(logged_, ElementsAre("o:a", "o:b", "o:"));
  output.put(Stream::out, "d\n");
  EXPECT_THAT(logged_, ElementsAre("o:a", "o:b", "o:", "o:cd"));
  EXPECT_EQ(output.dropped(), 0u);
}

TEST_F(OutputTest, ALineWithoutItsEndCountsAtTheEnd) {
  Output output = make();
  output.put(Stream::out, "begun");
  EXPECT_THAT(logged_, IsEmpty());
  output.finish();
  EXPECT_THAT(logged_, ElementsAre("o:begun"));
  EXPECT_THAT(output.tail(), ElementsAre("begun"));
  EXPECT_EQ(output.dropped(), 0u);
}

TEST_F(OutputTest, NothingIsNoLine) {
  Output output = make();
  output.put(Stream::out, "");
  output.finish();
  EXPECT_THAT(logged_, IsEmpty());
  EXPECT_THAT(output.tail(), IsEmpty());
}

TEST_F(OutputTest, TheStreamsDoNotMixWithinALine) {
  Output output = make();
  output.put(Stream::out, "ou");
  output.put(Stream::err, "er");
  output.put(Stream::out, "t\n");
  output.put(Stream::err, "r\n");
  EXPECT_THAT(logged_, ElementsAre("o:out", "e:err"));
}

TEST_F(OutputTest, NulsAndOtherBytesGoThrough) {
  Output output = make();
  output.put(Stream::out, std::string_view("a\0b\xff\n", 5));
  EXPECT_THAT(logged_, ElementsAre(std::string("o:a\0b\xff", 6)));
}

TEST_F(OutputTest, ALongLineIsLoggedInPieces) {
  Output output = make();
  output.put(Stream::out, "0123456789abcdefXY\n");
  EXPECT_THAT(logged_, ElementsAre("o:01234567", "o:89abcdef", "o:XY"));
  EXPECT_EQ(output.dropped(), 0u);
}

// Its end is no line of its own, however the bytes come.
TEST_F(OutputTest, ALineThatJustFitsIsOneLine) {
  Output output = make();
  output.put(Stream::out, "01234567\n");
  output.put(Stream::err, "01234567");
  output.put(Stream::err, "\nx\n");
  EXPECT_THAT(logged_, ElementsAre("o:01234567", "e:01234567", "e:x"));
}

TEST_F(OutputTest, TheSameBytesGiveTheSameLinesHoweverTheyAreCut) {
  const std::string text = "a\n01234567\n0123456789\n\n\nend";
  Output whole = make();
  whole.put(Stream::out, text);
  whole.finish();
  const auto expected = logged_;
  for (std::size_t size = 1; size < text.size(); ++size) {
    logged_.clear();
    Output pieces = make();
    for (std::size_t at = 0; at < text.size(); at += size) {
      pieces.put(Stream::out, std::string_view(text).substr(at, size));
    }
    pieces.finish();
    EXPECT_EQ(logged_, expected) << size;
  }
}

TEST_F(OutputTest, BeyondTheBoundItIsCountedAndItsEndKept) {
  Output output = make();
  for (int i = 0; i < 10; ++i) output.put(Stream::out, "line " + std::to_string(i) + "\n");
  output.put(Stream::out, "last");
  output.finish();
  // Seven bytes a line: the fifth reaches 32.
  EXPECT_THAT(logged_, ElementsAre("o:line 0", "o:line 1", "o:line 2", "o:line 3", "o:line 4"));
  EXPECT_EQ(output.dropped(), 5 * 7u + 4);
  EXPECT_THAT(output.tail(), ElementsAre("line 8", "line 9", "last"));
}

// Every byte was given to the sink, or is counted.
TEST_F(OutputTest, ALineThatTheBoundCutsIsCountedWhole) {
  Output output = make();
  output.put(Stream::err, "begun ");
  output.put(Stream::out, std::string(40, 'x') + "\n");
  output.put(Stream::err, "late\n");
  output.finish();
  EXPECT_THAT(logged_, ElementsAre("o:xxxxxxxx", "o:xxxxxxxx", "o:xxxxxxxx", "o:xxxxxxxx"));
  // Nine bytes a piece: 32 are reached with the fourth. "begun late\n" was never logged.
  EXPECT_EQ(output.dropped(), 8u + 1 + 11);
  EXPECT_THAT(output.tail(), testing::Contains("begun la"));
}

TEST_F(OutputTest, ABegunLineThatNothingFollowsIsLoggedThoughTheBoundIsReached) {
  Output output = make();
  output.put(Stream::err, "begun");
  output.put(Stream::out, std::string(100, 'x'));
  output.finish();
  EXPECT_EQ(logged_.back(), "e:begun");
  EXPECT_EQ(output.dropped(), 100u - 32);
}

TEST_F(OutputTest, TheTailIsOfBothStreams) {
  Output output = make();
  output.put(Stream::out, "1\n2\n");
  output.put(Stream::err, "3\n");
  output.put(Stream::out, "4\n");
  output.finish();
  EXPECT_THAT(output.tail(), ElementsAre("2", "3", "4"));
}

// A gigabyte, in the pieces in which a pipe gives it.
TEST_F(OutputTest, HowMuchEverComesItStaysBounded) {
  const OutputBounds bounds;
  Output output = make(bounds);
  const std::string piece = std::string(65535, 'x') + "\n";
  std::uint64_t put = 0;
  for (int i = 0; i < 16384; ++i) {
    output.put(i % 2 == 0 ? Stream::out : Stream::err, piece);
    put += piece.size();
  }
  output.put(Stream::out, "the end\n");
  put += 8;
  output.finish();
  std::size_t logged = 0;
  for (const std::string& line : logged_) {
    EXPECT_LE(line.size(), 2 + bounds.line_bytes);
    logged += line.size() - 2;
  }
  EXPECT_LE(logged, bounds.log_bytes + bounds.line_bytes);
  EXPECT_GT(logged, bounds.log_bytes * 9 / 10);
  EXPECT_GT(output.dropped(), put - bounds.log_bytes - bounds.line_bytes);
  EXPECT_LT(output.dropped(), put);
  EXPECT_THAT(output.tail(), testing::Contains("the end"));
  for (const std::string& line : output.tail()) EXPECT_LE(line.size(), bounds.line_bytes);
}

TEST_F(OutputTest, TheEndOfWhatComesByteByByteIsKept) {
  Output output = make({.line_bytes = 8, .log_bytes = 1, .tail_lines = 2});
  for (int i = 0; i < 20000; ++i) output.put(Stream::out, i % 100 == 99 ? "\n" : "y");
  for (const char c : std::string("done\n")) output.put(Stream::out, std::string_view(&c, 1));
  output.finish();
  EXPECT_THAT(logged_, ElementsAre("o:yyyyyyyy"));
  EXPECT_THAT(output.tail(), ElementsAre("yyyyyyyy", "done"));
}

}  // namespace
}  // namespace genapp::script
