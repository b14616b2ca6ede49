#include "bench/rounds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <stdexcept>

namespace genapp::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Quantile, TakesTheValueThatTheShareDoesNotExceed) {
  EXPECT_EQ(quantile({3, 1, 2}, 0), 1);
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(quantile({3, 1, 2}, 1), 3);
  EXPECT_EQ(quantile({4, 1, 3, 2}, 0.5), 3);  // the upper one of the middle two
  EXPECT_EQ(quantile({5}, 0.999), 5);
  EXPECT_THROW(quantile({}, 0.5), std::runtime_error);
}

Rounds example() {
  Rounds rounds("a title", "limit", {"us"});
  // The machine slows down to half its speed in the third round; the ratio does not.
  for (const double slow : {1.0, 1.0, 2.0}) {
    rounds.add("ours", "us", 12 * slow);
    rounds.add("ours", "lost", 0);
    rounds.add("limit", "us", 10 * slow);
    rounds.add("limit", "lost", 1);
  }
  rounds.add("peer", "us", 40);
  return rounds;
}

TEST(Rounds, RatiosAreTakenRoundByRound) {
  EXPECT_DOUBLE_EQ(example().ratio("ours", "us"), 1.2);
  EXPECT_DOUBLE_EQ(example().ratio("limit", "us"), 1);
  EXPECT_DOUBLE_EQ(example().ratio("peer", "us"), 4);
}

TEST(Rounds, TheTableHasMediansAndTheRatiosAskedFor) {
  const std::string table = example().table();
  EXPECT_THAT(table, HasSubstr("### a title\n\n| | us | lost |\n|---|---|---|\n"));
  EXPECT_THAT(table, HasSubstr("| ours | 12.0 (1.20) | 0.00 |\n"));
  EXPECT_THAT(table, HasSubstr("| limit | 10.0 (1.00) | 1.00 |\n"));
  EXPECT_THAT(table, HasSubstr("| peer | 40.0 (4.00) | - |\n"));
}

TEST(Rounds, TheJsonKeepsEveryRound) {
  const auto value = boost::json::parse(example().json());
  EXPECT_EQ(value.at("title"), "a title");
  EXPECT_EQ(value.at("reference"), "limit");
  const auto& ours = value.at("subjects").at("ours");
  EXPECT_EQ(ours.at("us").at("rounds"), boost::json::array({12.0, 12.0, 24.0}));
  EXPECT_DOUBLE_EQ(ours.at("us").at("median").as_double(), 12);
  EXPECT_DOUBLE_EQ(ours.at("us").at("ratio").as_double(), 1.2);
  EXPECT_THAT(boost::json::serialize(ours.at("lost")), Not(HasSubstr("ratio")));
  EXPECT_FALSE(value.at("subjects").at("peer").as_object().contains("lost"));
}

}  // namespace
}  // namespace genapp::bench
