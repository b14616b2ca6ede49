// What a keeper keeps of the output: the ring, the decision to read on, and a stream from its pipe.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <numeric>
#include <random>
#include <string>

#include "remote/keeper/output_ring.hpp"
#include "remote/keeper/pace.hpp"
#include "remote/keeper/stream.hpp"
#include "remote/message.hpp"

namespace genapp::remote::keeper {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

void put(OutputRing& ring, std::string_view bytes) {
  const auto space = ring.space(bytes.size());
  ASSERT_EQ(space[0].iov_len + space[1].iov_len, bytes.size());
  std::memcpy(space[0].iov_base, bytes.data(), space[0].iov_len);
  std::memcpy(space[1].iov_base, bytes.data() + space[0].iov_len, space[1].iov_len);
  ring.put(bytes.size());
}

// Everything from `offset` on, over the ring's end.
std::string all_from(const OutputRing& ring, std::uint64_t offset) {
  std::string all;
  for (;;) {
    const std::string_view piece = ring.from(offset + all.size(), 1000);
    if (piece.empty()) return all;
    all += piece;
  }
}

TEST(KeeperRing, IsEmptyAtFirst) {
  OutputRing ring(8);
  EXPECT_EQ(ring.kept(), 0u);
  EXPECT_EQ(ring.end(), 0u);
  EXPECT_EQ(ring.room(), 8u);
  EXPECT_EQ(ring.from(0, 10), "");
  EXPECT_EQ(ring.from(77, 10), "");
}

TEST(KeeperRing, KeepsWhatIsNotForgotten) {
  OutputRing ring(8);
  put(ring, "abcdef");
  EXPECT_EQ(ring.room(), 2u);
  EXPECT_EQ(ring.from(2, 3), "cde");
  ring.forget_to(4);
  EXPECT_EQ(ring.kept(), 4u);
  put(ring, "ghijkl");  // over the end
  EXPECT_EQ(ring.room(), 0u);
  EXPECT_EQ(ring.end(), 12u);
  EXPECT_EQ(all_from(ring, 4), "efghijkl");
  EXPECT_EQ(all_from(ring, 9), "jkl");
  EXPECT_EQ(ring.space(5)[0].iov_len + ring.space(5)[1].iov_len, 0u);
  ring.forget_to(4);  // again
  EXPECT_EQ(all_from(ring, 4), "efghijkl");
}

TEST(KeeperRing, ForgetsNoMoreThanThereIs) {
  OutputRing ring(8);
  put(ring, "abc");
  ring.forget_to(UINT64_MAX);
  EXPECT_EQ(ring.kept(), 3u);
  EXPECT_EQ(ring.end(), 3u);
  put(ring, "defghijk");
  EXPECT_EQ(all_from(ring, 3), "defghijk");
}

// Against a plain string of all that was ever put.
TEST(KeeperRing, IsAStringOfWhichTheBeginIsForgotten) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (const std::size_t most : {1u, 7u, 4096u, 5000u}) {
    OutputRing ring(most);
    std::string all;
    for (int i = 0; i < 2000; ++i) {
      std::string more(below(ring.room() + 1), '\0');
      for (char& c : more) c = static_cast<char>(below(256));
      put(ring, more);
      all += more;
      ASSERT_EQ(ring.end(), all.size());
      const std::uint64_t from = ring.kept() + below(ring.size() + 1);
      ASSERT_EQ(all_from(ring, from), all.substr(from));
      if (below(2)) ring.forget_to(ring.kept() + below(ring.size() + 2));
    }
  }
}

TEST(KeeperPace, ReadsWhileThereIsRoom) {
  Pace pace(5s);
  const auto now = common::Clock::time_point(100s);
  EXPECT_EQ(pace.flow(false, now), Flow::read);
  pace.attach(now);
  EXPECT_EQ(pace.flow(false, now + 1000s), Flow::read);
}

TEST(KeeperPace, DropsWhileNobodyIsThere) {
  Pace pace(5s);
  const auto now = common::Clock::time_point(100s);
  EXPECT_EQ(pace.flow(true, now), Flow::drop);
  pace.taken(now);  // of one that has gone
  EXPECT_EQ(pace.flow(true, now), Flow::drop);
  EXPECT_FALSE(pace.patience_ends());
  pace.attach(now);
  pace.hold();
  EXPECT_EQ(pace.flow(true, now), Flow::drop);
}

TEST(KeeperPace, WaitsForOneThatTakesSomething) {
  Pace pace(5s);
  auto now = common::Clock::time_point(100s);
  pace.attach(now);
  EXPECT_EQ(pace.flow(true, now), Flow::wait);
  EXPECT_EQ(pace.patience_ends(), now + 5s);
  EXPECT_EQ(pace.flow(true, now + 5s - 1ms), Flow::wait);
  EXPECT_EQ(pace.flow(true, now + 5s), Flow::drop);
  now += 4s;
  pace.taken(now);
  EXPECT_EQ(pace.flow(true, now + 5s - 1ms), Flow::wait);
  EXPECT_EQ(pace.flow(true, now + 5s), Flow::drop);
}

// A command that was silent for a minute must not be taken for a manager that was.
TEST(KeeperPace, BeginsWithTheFirstByteThatIsOwed) {
  Pace pace(5s);
  auto now = common::Clock::time_point(100s);
  pace.attach(now);
  now += 60s;
  pace.begun(now);
  EXPECT_EQ(pace.flow(true, now), Flow::wait);
}

class KeeperStream : public testing::Test {
 protected:
  void write(std::string_view bytes) {
    ASSERT_EQ(::write(end_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  // Sends one piece.
  std::string sent(std::size_t most = 1000, std::size_t window = 1000) {
    const Stream::Piece piece = stream_.next(most, window);
    if (!piece.bytes.empty()) stream_.sent(piece);
    return std::string(piece.bytes);
  }

  Stream stream_{8};
  common::Fd end_ = stream_.open();
};

TEST_F(KeeperStream, SendsEveryByteOnce) {
  write("abc");
  stream_.read(Flow::read);
  EXPECT_EQ(sent(2), "ab");
  write("de");
  stream_.read(Flow::read);
  EXPECT_EQ(sent(), "cde");
  EXPECT_EQ(sent(), "");
}

TEST_F(KeeperStream, ReadsNoMoreThanThereIsRoomFor) {
  write("abcdefghij");
  stream_.read(Flow::read);
  EXPECT_TRUE(stream_.full());
  stream_.read(Flow::wait);
  EXPECT_EQ(sent(), "abcdefgh");
  EXPECT_TRUE(stream_.taken_to(3));
  EXPECT_FALSE(stream_.taken_to(2));
  stream_.read(Flow::read);
  EXPECT_EQ(sent(), "ij");
  EXPECT_EQ(stream_.dropped(), 0u);
}

TEST_F(KeeperStream, SendsAnewFromWhereOneAsks) {
  write("abcdef");
  stream_.read(Flow::read);
  EXPECT_EQ(sent(), "abcdef");
  stream_.nothing_sent();  // the connection was lost
  EXPECT_EQ(sent(), "abcdef");
  stream_.send_from(4);
  EXPECT_EQ(sent(), "ef");
  stream_.send_from(2);  // is gone: what there is
  EXPECT_EQ(stream_.next(1000, 1000).offset, 4u);
  stream_.send_from(UINT64_MAX);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(stream_.ring().kept(), 6u);
}

TEST_F(KeeperStream, SendsNoMoreThanTheWindowBeyondWhatIsConfirmed) {
  write("abcdefgh");
  stream_.read(Flow::read);
  EXPECT_EQ(sent(1000, 3), "abc");
  EXPECT_EQ(sent(1000, 3), "");
  stream_.taken_to(1);
  EXPECT_EQ(sent(1000, 3), "d");
  stream_.taken_to(4);
  EXPECT_EQ(sent(1000, 3), "efg");
}

TEST_F(KeeperStream, DropsTheOldestAndCountsIt) {
  write("abcdefgh");
  stream_.read(Flow::drop);
  EXPECT_EQ(stream_.dropped(), 0u);
  write("ijk");
  stream_.read(Flow::drop);
  EXPECT_EQ(stream_.dropped(), 3u);
  EXPECT_EQ(stream_.ring().kept(), 3u);
  stream_.send_from(0);
  EXPECT_EQ(sent(), "defgh");
  EXPECT_EQ(sent(), "ijk");
  EXPECT_EQ(stream_.ring().end(), 11u);
}

TEST_F(KeeperStream, DropsNothingForWhatDoesNotCome) {
  write("abcdefgh");
  stream_.read(Flow::drop);
  stream_.read(Flow::drop);
  EXPECT_EQ(stream_.dropped(), 0u);
  EXPECT_FALSE(stream_.over());
  end_.close();
  stream_.read(Flow::drop);
  EXPECT_TRUE(stream_.over());
  EXPECT_EQ(stream_.dropped(), 0u);
  EXPECT_EQ(sent(), "abcdefgh");
}

TEST_F(KeeperStream, ABurstLargerThanAllThatIsKeptLeavesItsEnd) {
  write("abcdefghijklmnopqrstuvw");
  while (stream_.ring().end() < 23) stream_.read(Flow::drop);
  EXPECT_EQ(stream_.dropped(), 15u);
  stream_.send_from(0);
  EXPECT_EQ(sent(), "p");  // to the ring's end, and on
  EXPECT_EQ(sent(), "qrstuvw");
}

// What is on its way may still arrive.
TEST_F(KeeperStream, WhatWasSentIsNotDroppedForOneWhoIsSlow) {
  write("abcdefgh");
  stream_.read(Flow::read);
  EXPECT_EQ(sent(6), "abcdef");
  write("ijkl");
  stream_.read(Flow::drop);
  EXPECT_EQ(stream_.dropped(), 0u);
  write("mnop");
  stream_.read(Flow::drop);
  EXPECT_EQ(stream_.dropped(), 2u);  // g, h
}

// Else it would wait for a confirmation of what was dropped, for ever.
TEST_F(KeeperStream, TheWindowGoesOverAGap) {
  write("abcdefgh");
  stream_.read(Flow::read);
  EXPECT_EQ(sent(1000, 3), "abc");
  write("ijklmnopq");
  while (stream_.ring().end() < 17) stream_.read(Flow::drop);
  EXPECT_EQ(stream_.dropped(), 6u);
  EXPECT_EQ(sent(1000, 3), "");  // abc is not confirmed
  stream_.taken_to(3);
  EXPECT_EQ(stream_.next(1000, 3).offset, 9u);
  EXPECT_EQ(sent(1000, 3), "jkl");
  EXPECT_EQ(sent(1000, 3), "");
  stream_.taken_to(12);
  EXPECT_EQ(sent(1000, 3), "mno");
}

TEST_F(KeeperStream, EndsAtThePipesEnd) {
  write("ab");
  end_.close();
  EXPECT_FALSE(stream_.over());
  stream_.read(Flow::read);
  EXPECT_FALSE(stream_.over());
  stream_.read(Flow::read);
  EXPECT_TRUE(stream_.over());
  EXPECT_EQ(sent(), "ab");
}

TEST_F(KeeperStream, EndsWithWhatIsThereThoughSomebodyGoesOn) {
  write("abcdefghijk");
  stream_.limit_to_what_is_there();
  write("lmn");
  stream_.read(Flow::read);
  EXPECT_FALSE(stream_.over());
  stream_.taken_to(8);
  stream_.read(Flow::read);
  EXPECT_TRUE(stream_.over());
  EXPECT_EQ(stream_.ring().end(), 11u);
  stream_.discard();
  EXPECT_EQ(stream_.ring().end(), 11u);
}

TEST_F(KeeperStream, WithNothingThereItIsOverAtOnce) {
  stream_.limit_to_what_is_there();
  EXPECT_TRUE(stream_.over());
}

}  // namespace
}  // namespace genapp::remote::keeper
