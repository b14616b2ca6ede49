#include "monitor/threshold.hpp"

#include <gtest/gtest.h>

#include <string>

namespace genapp::monitor {
namespace {

using Change = Threshold::Change;
using Outcome = Threshold::Outcome;

// "-" a failure, "+" a success; back come "." unchanged, "p" pending, "!" changed.
std::string changes(Threshold& threshold, const std::string& outcomes) {
  std::string out;
  for (const char c : outcomes) {
    const Change change = threshold.put(c == '-' ? Outcome::failure : Outcome::success);
    out += change == Change::unchanged ? '.' : change == Change::pending ? 'p' : '!';
  }
  return out;
}

TEST(Threshold, FailsWithTheLastOfTheFailures) {
  Threshold threshold({.fall = 4});
  EXPECT_EQ(changes(threshold, "++---"), "..ppp");
  EXPECT_FALSE(threshold.failed());
  EXPECT_EQ(threshold.pending(), 3u);
  EXPECT_EQ(changes(threshold, "-"), "!");
  EXPECT_TRUE(threshold.failed());
  EXPECT_EQ(threshold.pending(), 0u);
}

TEST(Threshold, OneFailureIsEnoughWhereOneIsAskedFor) {
  Threshold threshold({.fall = 1});
  EXPECT_EQ(changes(threshold, "+-"), ".!");
}

TEST(Threshold, ASuccessWipesFailuresAway) {
  Threshold threshold({.fall = 2});
  EXPECT_EQ(changes(threshold, "-+-+-+"), "p.p.p.");
  EXPECT_FALSE(threshold.failed());
  EXPECT_EQ(changes(threshold, "--"), "p!");
}

TEST(Threshold, WithRiseSoManySuccessesInARowAreNeeded) {
  Threshold threshold({.fall = 4, .rise = 3});
  EXPECT_EQ(changes(threshold, "--+"), "ppp");
  EXPECT_EQ(threshold.pending(), 2u) << "one success is not enough";
  // The failure between starts the counting of successes over, and counts itself.
  EXPECT_EQ(changes(threshold, "+-"), "pp");
  EXPECT_EQ(threshold.pending(), 3u);
  EXPECT_EQ(changes(threshold, "+++"), "pp.");
  EXPECT_EQ(threshold.pending(), 0u);
  EXPECT_EQ(changes(threshold, "---"), "ppp");
  EXPECT_EQ(changes(threshold, "-"), "!");
}

TEST(Threshold, AFailedServerBecomesHealthyAfterRiseSuccessesInARow) {
  Threshold threshold({.fall = 1, .rise = 3});
  EXPECT_EQ(changes(threshold, "-"), "!");
  EXPECT_EQ(changes(threshold, "++"), "pp");
  EXPECT_EQ(changes(threshold, "-"), ".") << "starts over";
  EXPECT_EQ(changes(threshold, "+++"), "pp!");
  EXPECT_FALSE(threshold.failed());
}

TEST(Threshold, FailingAtOnceWaitsForNoOthers) {
  Threshold threshold({.fall = 100, .rise = 2});
  EXPECT_EQ(threshold.fail_at_once(), Change::changed);
  EXPECT_TRUE(threshold.failed());
  EXPECT_EQ(threshold.pending(), 0u);
  EXPECT_EQ(threshold.fail_at_once(), Change::unchanged) << "it is believed already";
}

TEST(Threshold, ForgettingKeepsTheBelief) {
  Threshold threshold({.fall = 3});
  changes(threshold, "--");
  threshold.forget();
  EXPECT_EQ(threshold.pending(), 0u);
  EXPECT_EQ(changes(threshold, "--"), "pp");
  EXPECT_EQ(changes(threshold, "-"), "!");
  threshold.forget();
  EXPECT_TRUE(threshold.failed());
}

}  // namespace
}  // namespace genapp::monitor
