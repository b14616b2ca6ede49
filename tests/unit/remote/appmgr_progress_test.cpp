#include "remote/appmgr/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace genapp::remote {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using testing::Optional;

class AppmgrProgress : public testing::Test {
 protected:
  AppmgrProgress() { progress_.connected(); }

  // What is new of it, with its offset.
  std::string take(std::uint64_t offset, std::string_view bytes, Output stream = Output::out) {
    const OutputChunk fresh = progress_.take({stream, offset, bytes}, now_);
    EXPECT_EQ(fresh.stream, stream);
    return std::to_string(fresh.offset) + ":" + std::string(fresh.bytes);
  }

  Progress::Time now_{Progress::Time(1000s)};
  Progress progress_;
};

TEST_F(AppmgrProgress, WhatIsNewIsWrittenOnce) {
  progress_.from_the_beginning();
  EXPECT_EQ(take(0, "abc"), "0:abc");
  EXPECT_EQ(take(3, "de"), "3:de");
  EXPECT_EQ(take(0, "abc"), "5:");
  EXPECT_EQ(take(4, "e"), "5:");
  EXPECT_EQ(take(4, "ef"), "5:f");
  EXPECT_EQ(take(0, "err", Output::err), "0:err");
  EXPECT_EQ(progress_.missing(), 0u);
}

TEST_F(AppmgrProgress, GapsAreCounted) {
  progress_.from_the_beginning();
  EXPECT_EQ(take(2, "c"), "2:c");
  EXPECT_EQ(take(5, "f"), "5:f");
  EXPECT_EQ(take(1, "e", Output::err), "1:e");
  EXPECT_EQ(progress_.missing(), 5u);
  progress_.ended({10, 2}, now_);
  EXPECT_EQ(progress_.missing(), 9u);
}

TEST_F(AppmgrProgress, WhatCameBeforeWeDidIsNotMissing) {
  EXPECT_EQ(take(1000, "x"), "1000:x");
  EXPECT_EQ(progress_.missing(), 0u);
  EXPECT_EQ(progress_.unwritten(Output::out), 1u);
  progress_.ended({1001, 70}, now_);
  EXPECT_EQ(progress_.missing(), 0u);
}

TEST_F(AppmgrProgress, WhatIsWrittenIsConfirmed) {
  progress_.from_the_beginning();
  EXPECT_EQ(progress_.confirm(now_), std::nullopt);
  take(0, "abc");
  EXPECT_EQ(progress_.confirm(now_), std::nullopt);
  EXPECT_EQ(progress_.confirm_at(), std::nullopt);
  progress_.wrote(Output::out, 2);
  EXPECT_THAT(progress_.confirm(now_), Optional(Offsets{2, 0}));
  EXPECT_EQ(progress_.confirm(now_ + 1s), std::nullopt);
  // A little more waits, so that not every line is a message.
  progress_.wrote(Output::out, 3);
  EXPECT_EQ(progress_.confirm(now_ + 99ms), std::nullopt);
  EXPECT_THAT(progress_.confirm_at(), Optional(now_ + 100ms));
  EXPECT_THAT(progress_.confirm(now_ + 100ms), Optional(Offsets{3, 0}));
}

TEST_F(AppmgrProgress, MuchIsConfirmedAtOnce) {
  progress_.from_the_beginning();
  const std::string much(32 * 1024, 'x');
  for (std::uint64_t i = 0; i < 10; ++i) {
    take(i * much.size(), much);
    progress_.wrote(Output::out, (i + 1) * much.size());
    EXPECT_THAT(progress_.confirm(now_), Optional(Offsets{(i + 1) * much.size(), 0}));
  }
}

// The other side heeds no confirmation of what it has not sent on the connection.
TEST_F(AppmgrProgress, OnANewConnectionItIsConfirmedAnewAsItComesAgain) {
  progress_.from_the_beginning();
  take(0, "abcdef");
  progress_.wrote(Output::out, 6);
  EXPECT_TRUE(progress_.confirm(now_));
  progress_.connected();
  EXPECT_EQ(progress_.confirm(now_ + 1s), std::nullopt);
  EXPECT_EQ(take(2, "cd"), "6:");
  EXPECT_THAT(progress_.confirm(now_ + 1s), Optional(Offsets{4, 0}));
}

TEST_F(AppmgrProgress, IsOverOnceAllHasComeAndIsWritten) {
  progress_.from_the_beginning();
  take(0, "abc");
  EXPECT_FALSE(progress_.over(now_ + 100s));
  progress_.ended({3, 0}, now_);
  EXPECT_FALSE(progress_.over(now_ + 100s));
  EXPECT_EQ(progress_.over_at(), std::nullopt);
  progress_.wrote(Output::out, 3);
  EXPECT_TRUE(progress_.over(now_));
}

TEST_F(AppmgrProgress, OfNothingItIsOverAtOnce) {
  progress_.ended({0, 0}, now_);
  EXPECT_TRUE(progress_.over(now_));
}

// It may have been another manager's, or be on its way.
TEST_F(AppmgrProgress, WhatDoesNotComeIsWaitedForAWhile) {
  progress_.ended({7, 0}, now_);
  EXPECT_FALSE(progress_.over(now_ + 999ms));
  EXPECT_THAT(progress_.over_at(), Optional(now_ + 1s));
  EXPECT_TRUE(progress_.over(now_ + 1s));
  now_ += 900ms;
  take(0, "abc");
  EXPECT_FALSE(progress_.over(now_ + 10s));
  progress_.wrote(Output::out, 3);
  EXPECT_FALSE(progress_.over(now_ + 999ms));
  take(3, "defg");
  progress_.wrote(Output::out, 7);
  EXPECT_TRUE(progress_.over(now_));
  EXPECT_EQ(progress_.missing(), 0u);
}

TEST_F(AppmgrProgress, OnANewConnectionTheEndIsToldAgain) {
  progress_.from_the_beginning();
  progress_.ended({0, 0}, now_);
  progress_.connected();
  EXPECT_FALSE(progress_.over(now_ + 100s));
}

}  // namespace
}  // namespace genapp::remote
