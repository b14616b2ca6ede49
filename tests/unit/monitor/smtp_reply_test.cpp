#include "monitor/smtp_reply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::monitor {
namespace {

using testing::ElementsAre;
using Progress = SmtpReplyReader::Progress;

struct ReplyOutcome {
  Progress progress = Progress::more;
  SmtpReply reply{};
  std::string reason{};
  std::string rest{};

  friend bool operator==(const ReplyOutcome&, const ReplyOutcome&) = default;
};

// How gtest shows one.
void PrintTo(const ReplyOutcome& outcome, std::ostream* out) {
  *out << static_cast<int>(outcome.progress) << " " << smtp_reply_text(outcome.reply) << " "
       << outcome.reply.lines.size() << " lines, " << outcome.reason << ", rest "
       << testing::PrintToString(outcome.rest);
}

ReplyOutcome outcome_of(const SmtpReplyReader& reader, Progress progress, std::string_view rest) {
  ReplyOutcome outcome{progress, {}, reader.reason(), std::string(rest)};
  if (progress == Progress::complete) outcome.reply = reader.reply();
  return outcome;
}

ReplyOutcome read_in_pieces(std::string_view bytes, std::size_t size) {
  SmtpReplyReader reader;
  Progress progress = Progress::more;
  while (progress == Progress::more && !bytes.empty()) {
    std::string_view piece = bytes.substr(0, size);
    const std::size_t given = piece.size();
    progress = reader.put(piece);
    bytes.remove_prefix(given - piece.size());
  }
  return outcome_of(reader, progress, bytes);
}

// Whole; and the same bytes in pieces must mean the same.
ReplyOutcome read_reply(const std::string& bytes) {
  SmtpReplyReader reader;
  std::string_view left = bytes;
  const Progress progress = reader.put(left);
  const ReplyOutcome whole = outcome_of(reader, progress, left);
  for (const std::size_t size : {1u, 2u, 3u, 7u}) EXPECT_EQ(read_in_pieces(bytes, size), whole);
  return whole;
}

SmtpReply complete_reply(const std::string& bytes) {
  const ReplyOutcome outcome = read_reply(bytes);
  EXPECT_EQ(outcome.progress, Progress::complete) << bytes << outcome.reason;
  EXPECT_EQ(outcome.rest, "");
  return outcome.reply;
}

std::string reason_against(const std::string& bytes) {
  const ReplyOutcome outcome = read_reply(bytes);
  EXPECT_EQ(outcome.progress, Progress::invalid) << bytes;
  return outcome.reason;
}

bool awaits_more(const std::string& bytes) { return read_reply(bytes).progress == Progress::more; }

TEST(SmtpReply, IsOneLineOrMany) {
  EXPECT_EQ(complete_reply("220 mail.example ESMTP\r\n"), (SmtpReply{220, {"mail.example ESMTP"}}));
  EXPECT_EQ(complete_reply("250-mail.example\r\n250-SIZE 1000\r\n250 HELP\r\n"),
            (SmtpReply{250, {"mail.example", "SIZE 1000", "HELP"}}));
  EXPECT_EQ(complete_reply("250-\r\n250 \r\n"), (SmtpReply{250, {"", ""}}));
}

// RFC 5321, 4.2: some servers leave the text and its blank out.
TEST(SmtpReply, MayBeTheCodeAlone) {
  EXPECT_EQ(complete_reply("250\r\n"), (SmtpReply{250, {""}}));
  EXPECT_EQ(complete_reply("250-first\r\n250\r\n"), (SmtpReply{250, {"first", ""}}));
}

TEST(SmtpReply, MayEndItsLinesWithALineFeedAlone) {
  EXPECT_EQ(complete_reply("250-a\n250-b\r\n250 c\n"), (SmtpReply{250, {"a", "b", "c"}}));
  EXPECT_EQ(complete_reply("354\n"), (SmtpReply{354, {""}}));
}

TEST(SmtpReply, IsCompleteWithItsLastLinesEndOnly) {
  const std::string whole = "250-first\r\n250 last\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(awaits_more(whole.substr(0, size))) << size;
  }
}

TEST(SmtpReply, LeavesWhatComesBehindIt) {
  EXPECT_EQ(read_reply("220 ready\r\nEHLO injected\r\n").rest, "EHLO injected\r\n");
  EXPECT_EQ(read_reply("220 ready\n\r\n").rest, "\r\n");
  EXPECT_EQ(read_reply(std::string("220 ready\r\n\0", 12)).rest, std::string(1, '\0'));
}

TEST(SmtpReply, HasACodeOfThreeDigitsBelowSixHundred) {
  for (const char* code : {"200", "299", "354", "421", "556", "599"}) {
    EXPECT_EQ(complete_reply(std::string(code) + " x\r\n").code, std::stoi(code));
  }
  for (const char* line : {"000 x", "150 x", "600 x", "25 x", "2", "", "-50 x", "+50 x", " 250 x",
                           "2x0 x", "SSH-2.0-OpenSSH_9.2", "HTTP/1.1 400 Bad Request"}) {
    EXPECT_EQ(reason_against(std::string(line) + "\r\n"), "no reply code") << line;
  }
  for (const char* line : {"2500 x", "250x", "250\tx", "250_x"}) {
    EXPECT_EQ(reason_against(std::string(line) + "\r\n"),
              "neither a blank nor a hyphen behind the reply code")
        << line;
  }
}

TEST(SmtpReply, KeepsItsCodeThroughAllLines) {
  EXPECT_EQ(reason_against("250-a\r\n550 b\r\n"), "two reply codes, 250 and 550");
  EXPECT_EQ(reason_against("250-a\r\n\r\n250 b\r\n"), "no reply code");
}

// What would let a line be taken for two, or end early.
TEST(SmtpReply, HoldsNoBareCarriageReturnAndNoNul) {
  EXPECT_EQ(reason_against("220 a\r220 b\r\n"), "a carriage return within a line");
  EXPECT_EQ(reason_against("220 a\r\r\n"), "a carriage return within a line");
  EXPECT_EQ(reason_against(std::string("220 a\0b\r\n", 9)), "a NUL byte");
  EXPECT_EQ(reason_against(std::string("\0\0\0", 3)), "a NUL byte");
  EXPECT_TRUE(awaits_more("220 a\r"));
}

// Not what the RFC allows, but it harms nobody and is seen.
TEST(SmtpReply, MayHoldOtherBytesThatAreShownSafely) {
  const SmtpReply reply = complete_reply("220 caf\xc3\xa9 \x1b[2J\r\n");
  EXPECT_THAT(reply.lines, ElementsAre("caf\xc3\xa9 \x1b[2J"));
  const std::string text = smtp_reply_text(reply);
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_TRUE(text.starts_with("220 caf")) << text;
}

TEST(SmtpReply, IsShownByItsFirstLine) {
  EXPECT_EQ(smtp_reply_text(complete_reply("250 2.0.0 Ok\r\n")), "250 2.0.0 Ok");
  EXPECT_EQ(smtp_reply_text(complete_reply("250-a\r\n250 b\r\n")), "250 a");
  EXPECT_EQ(smtp_reply_text(complete_reply("250\r\n")), "250");
  EXPECT_LT(smtp_reply_text(complete_reply("250 " + std::string(2000, 'x') + "\r\n")).size(), 300u);
}

TEST(SmtpReply, HasALineOfTwoKibibytesAtMost) {
  const std::string longest = "250 " + std::string(SmtpReplyReader::kMostLineBytes - 4, 'x');
  EXPECT_EQ(complete_reply(longest + "\r\n").lines.at(0).size(), longest.size() - 4);
  EXPECT_EQ(reason_against(longest + "x"), "a line of more than 2048 bytes");
}

TEST(SmtpReply, HasSixtyFourLinesAtMost) {
  std::string lines;
  for (std::size_t i = 1; i < SmtpReplyReader::kMostLines; ++i) lines += "250-x\r\n";
  EXPECT_EQ(complete_reply(lines + "250 x\r\n").lines.size(), SmtpReplyReader::kMostLines);
  EXPECT_EQ(reason_against(lines + "250-x\r\n"), "more than 64 lines");
}

TEST(SmtpReply, HasSixteenKibibytesAtMost) {
  const std::string line = "250-" + std::string(1018, 'x') + "\r\n";
  std::string most;
  for (int i = 0; i < 15; ++i) most += line;
  const std::string last = "250 " + std::string(1018, 'x') + "\r\n";
  ASSERT_EQ(most.size() + last.size(), SmtpReplyReader::kMostReplyBytes);
  EXPECT_EQ(complete_reply(most + last).lines.size(), 16u);
  EXPECT_EQ(reason_against(most + "250 x" + last.substr(4)), "more than 16384 bytes");
}

TEST(SmtpReply, OffersTheExtensionsBehindItsFirstLine) {
  const SmtpReply reply = complete_reply(
      "250-STARTTLS.example\r\n250-starttls\r\n250-SIZE 1000\r\n250-AUTHENTICATE\r\n250 HELP\r\n");
  EXPECT_TRUE(offers_extension(reply, "STARTTLS"));
  EXPECT_TRUE(offers_extension(reply, "SIZE"));
  EXPECT_TRUE(offers_extension(reply, "HELP"));
  EXPECT_FALSE(offers_extension(reply, "AUTH"));
  EXPECT_FALSE(offers_extension(reply, "PIPELINING"));
}

// The first line is the server's name and greeting, whatever it looks like.
TEST(SmtpReply, OffersNothingInItsFirstLine) {
  EXPECT_FALSE(offers_extension(complete_reply("250 STARTTLS\r\n"), "STARTTLS"));
  EXPECT_FALSE(offers_extension(complete_reply("250-STARTTLS\r\n250 HELP\r\n"), "STARTTLS"));
  EXPECT_FALSE(offers_extension(SmtpReply{}, "STARTTLS"));
}

}  // namespace
}  // namespace genapp::monitor
