#include "remote/keeper_link.hpp"

#include <gtest/gtest.h>

#include "common/error.hpp"

namespace genapp::remote {
namespace {

using std::chrono_literals::operator""ms;

// The one message in `bytes`.
std::string message_in(const std::string& bytes) {
  LinkReader reader;
  reader.put(bytes);
  const auto message = reader.next();
  return message ? std::string(*message) : "";
}

template <typename Word>
Word again(const Word& word) {
  const std::string message = message_in(format_keeper_word(word));
  return std::get<Word>(parse_keeper_word(message).value());
}

template <typename Order>
Order order_again(const Order& order) {
  return std::get<Order>(parse_link_order(message_in(format_link_order(order))).value());
}

TEST(KeeperLink, AStateComesBackAsItWas) {
  KeeperState state{12, 345, {6, 7}, 8, {}, {}};
  for (const auto& ended :
       {std::optional<common::Ending>(), std::optional(common::Ending{false, 3}),
        std::optional(common::Ending{true, 9})}) {
    for (const auto& drained : {std::optional<Offsets>(), std::optional(Offsets{10, 11})}) {
      state.ended = ended;
      state.drained = drained;
      const KeeperState read = again(state);
      EXPECT_EQ(read.pid, 12);
      EXPECT_EQ(read.start_ticks, 345u);
      EXPECT_EQ(read.kept, (Offsets{6, 7}));
      EXPECT_EQ(read.dropped, 8u);
      EXPECT_EQ(read.ended, ended);
      EXPECT_EQ(read.drained, drained);
    }
  }
}

TEST(KeeperLink, WordsAndOrdersComeBackAsTheyWere) {
  EXPECT_EQ(again(KeeperEnded{{true, 15}}).ending, (common::Ending{true, 15}));
  EXPECT_EQ(again(KeeperDrained{{1, UINT64_MAX}}).offsets, (Offsets{1, UINT64_MAX}));
  EXPECT_EQ(again(KeeperLost{5}).dropped, 5u);
  EXPECT_EQ(again(KeeperSending{{3, 9}}).from, (Offsets{3, 9}));
  EXPECT_EQ(order_again(LinkSend{{1, 2}}).from, (Offsets{1, 2}));
  EXPECT_EQ(order_again(LinkTaken{{3, 4}}).offsets, (Offsets{3, 4}));
  EXPECT_EQ(order_again(LinkSignal{1}).number, 1);
  EXPECT_EQ(order_again(LinkStop{1500ms}).kill_after, 1500ms);
  order_again(LinkHold{});
  order_again(LinkForget{});
}

TEST(KeeperLink, OutputIsAsTheProtocolHasIt) {
  const OutputChunk chunk{Output::err, 77, "bytes"};
  const std::string bytes = link_output_header(chunk) + "bytes";
  EXPECT_EQ(bytes, format_keeper_word(chunk));
  const std::string message = message_in(bytes);
  EXPECT_EQ(message, output_header(Output::err, 77) + "bytes");
  EXPECT_EQ(std::get<OutputChunk>(parse_keeper_word(message).value()).bytes, "bytes");
}

TEST(KeeperLink, MessagesArriveInPieces) {
  const std::string bytes = format_link_order(LinkHold{}) + format_link_order(LinkSignal{15});
  LinkReader reader;
  std::vector<std::string> messages;
  for (const char byte : bytes) {
    reader.put({&byte, 1});
    while (const auto message = reader.next()) messages.emplace_back(*message);
  }
  EXPECT_EQ(messages, (std::vector<std::string>{"hold", "signal 15"}));
}

TEST(KeeperLink, WhatIsNoMessageIsNone) {
  for (const char* const text :
       {"", "x", "state", "state 1 2 3 4", "state 1 2 3 4 5 code", "state 1 2 3 4 5 code 256",
        "state 1 2 3 4 5 drained 1", "state 1 2 3 4 5 x", "ended", "ended code", "ended code 1 2",
        "ended x 1", "drained 1", "drained 1 2 3", "lost", "lost -1", "lost 1x"}) {
    EXPECT_FALSE(parse_keeper_word(text)) << text;
  }
  for (const char* const text :
       {"", "x", "send", "send 1", "send 1 2 3", "taken 1 -2", "signal", "signal 65", "signal x",
        "stop", "stop 3600001", "hold 1", "forget x", "hold "}) {
    EXPECT_FALSE(parse_link_order(text) && std::string(text) != "hold ") << text;
  }
}

TEST(KeeperLink, ALengthBeyondTheMostIsTold) {
  for (const std::string& length :
       {std::string("\0\0\0\0", 4), std::string("\xff\xff\xff\xff", 4)}) {
    LinkReader reader;
    reader.put(length);
    EXPECT_THROW(reader.next(), common::Error);
  }
}

}  // namespace
}  // namespace genapp::remote
