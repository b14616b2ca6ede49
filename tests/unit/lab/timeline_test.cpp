#include "tests/e2e/lab/timeline.hpp"

#include <gtest/gtest.h>

namespace genapp::tests {
namespace {

constexpr Moment kBegin{0};

// An attempt every 10 us that takes 2: '-' failed, anything else is the answer.
Samples attempts(const std::string& answers, int first = 0) {
  Samples samples;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Moment begin(first + 10 * static_cast<int>(i));
    samples.push_back({begin, begin + Moment(2), answers.substr(i, 1)});
  }
  return samples;
}

TEST(Timeline, ReadsLinesOfSeveralTargetsInPieces) {
  Timeline timeline;
  timeline.add("users 1 2 n1\nn1 3 4 +\nuse");
  timeline.add("rs 5 9 -\nn1 6");
  ASSERT_EQ(timeline.of("users").size(), 2u);
  EXPECT_EQ(timeline.of("users")[0].answer, "n1");
  EXPECT_FALSE(timeline.of("users")[1].good());
  EXPECT_EQ(timeline.of("users")[1].end, Moment(9));
  EXPECT_EQ(timeline.of("n1").size(), 1u);
  EXPECT_TRUE(timeline.of("nobody").empty());
}

TEST(TimelineErrors, LastFromTheFirstFailureToTheNextAnswer) {
  const Errors errors = errors_since(attempts("++-+---++"), kBegin);
  EXPECT_EQ(errors.longest, Moment(32));  // from 40 to 72
  EXPECT_EQ(errors.all, Moment(12 + 32));
}

TEST(TimelineErrors, ThatHaveNotEndedLastUntilTheLastAttempt) {
  EXPECT_EQ(errors_since(attempts("++--"), kBegin).all, Moment(12));
  EXPECT_EQ(errors_since({}, kBegin).all, Moment(0));
}

TEST(TimelineErrors, BeforeTheFaultDoNotCount) {
  EXPECT_EQ(errors_since(attempts("--++-+"), Moment(20)).all, Moment(12));
}

TEST(TimelineOverlap, IsWhatIsCertain) {
  // The first answers for certain from 2 to 30, the second from 22 to 50.
  const Overlap overlap = overlap_since(attempts("++++--"), attempts("--++++"), kBegin);
  EXPECT_EQ(overlap.longest, Moment(8));
  EXPECT_EQ(overlap.last, Moment(30));
}

TEST(TimelineOverlap, IsNoneWhereOneTakesOverFromTheOther) {
  const Overlap overlap = overlap_since(attempts("+++---"), attempts("---+++"), kBegin);
  EXPECT_EQ(overlap.longest, Moment(0));
  EXPECT_EQ(overlap.last, Moment(0));
  // A single attempt says when it answered at some time, not for how long.
  EXPECT_EQ(overlap_since(attempts("++++++"), attempts("---+--"), kBegin).longest, Moment(0));
}

TEST(TimelineOverlap, AFailureInBetweenEndsIt) {
  const Overlap overlap = overlap_since(attempts("++++++++"), attempts("+++-++++"), kBegin);
  EXPECT_EQ(overlap.longest, Moment(28));  // from 42 to 70
  EXPECT_EQ(overlap.last, Moment(70));
}

TEST(TimelineOverlap, BeforeTheFaultDoesNotCount) {
  EXPECT_EQ(overlap_since(attempts("+++++--"), attempts("+++++++"), Moment(20)).longest,
            Moment(40 - 22));
}

TEST(TimelineGood, FirstAndLastAnswer) {
  EXPECT_EQ(first_good_since(attempts("--++-+--"), kBegin), Moment(22));
  EXPECT_EQ(last_good_since(attempts("--++-++-"), kBegin), Moment(60));
  EXPECT_EQ(first_good_since(attempts("----"), kBegin), Moment(0));
}

TEST(TimelineAll, NeedsEnoughAttemptsThatAreAllTheSame) {
  EXPECT_TRUE(all_since(attempts("21111111"), Moment(10), "1"));
  EXPECT_FALSE(all_since(attempts("21111111"), kBegin, "1"));
  EXPECT_FALSE(all_since(attempts("1111"), kBegin, "1"));
  EXPECT_FALSE(all_since(attempts("111-1111"), kBegin, "1"));
}

TEST(TimelineAll, NoneIsTrueWithoutAnyAttempt) {
  EXPECT_TRUE(none_since(attempts("+---"), Moment(10)));
  EXPECT_TRUE(none_since({}, kBegin));
  EXPECT_FALSE(none_since(attempts("-+--"), Moment(10)));
}

}  // namespace
}  // namespace genapp::tests
