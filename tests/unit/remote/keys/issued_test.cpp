#include "remote/keys/issued.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::remote::keys {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kNow[] = "2027-01-01T00:00:00Z";

Issued record(const std::string& kind, const std::string& name, const std::string& authority,
              const std::string& until = "2029-01-01T00:00:00Z") {
  return {"2026-11-25T08:15:02Z", "3F2A", kind, name, until, authority};
}

TEST(KeysIssued, ALineComesBackAsItWas) {
  const Issued one = record("host", "host1", "node1 3F2A9C01");
  const Issued two = record("guest", "guest1", "node1");
  EXPECT_THAT(parse_issued(format_issued(one) + format_issued(two)), ElementsAre(one, two));
}

TEST(KeysIssued, ALineThatACrashHasCutIsPassedOver) {
  const Issued one = record("host", "host1", "node1 3F2A9C01");
  const std::string line = format_issued(one);
  for (std::size_t size = 0; size < line.find(" node1"); ++size) {
    EXPECT_THAT(parse_issued(line.substr(0, size) + "\n\n" + line), ElementsAre(one)) << size;
  }
}

TEST(KeysIssued, OnlyTheNewestOfANameCounts) {
  const Issued before = record("host", "host1", "old");
  const Issued after = record("host", "host1", "new");
  EXPECT_THAT(left_behind({before, after}, "new", kNow), IsEmpty());
  EXPECT_THAT(left_behind({after, before}, "new", kNow), ElementsAre(before));
  EXPECT_THAT(left_behind({before}, "new", kNow), ElementsAre(before));
  // A guest of the name is another.
  EXPECT_THAT(left_behind({before, record("guest", "host1", "new")}, "new", kNow),
              ElementsAre(before));
}

TEST(KeysIssued, WhatHasExpiredIsNotMissed) {
  EXPECT_THAT(left_behind({record("host", "host1", "old", "2026-12-31T23:59:59Z")}, "new", kNow),
              IsEmpty());
}

}  // namespace
}  // namespace genapp::remote::keys
