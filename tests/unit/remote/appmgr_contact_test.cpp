#include "remote/appmgr/contact.hpp"

#include <gtest/gtest.h>

namespace genapp::remote {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using Act = Contact::Act;

// Time that goes by in steps of a tenth of a second, as a running program sees it; T is 9 seconds.
class AppmgrContact : public testing::Test {
 protected:
  static constexpr auto kTimeout = 9s;
  Contact::Time now_{Contact::Time(1000s)};
  Contact contact_{kTimeout, now_};

  // Until something is to be done, or `length` is over; how long it took.
  Act within(Contact::Length length, Contact::Length* took = nullptr) {
    const auto begun = now_;
    for (;;) {
      const Act act = contact_.due(now_);
      if (took) *took = now_ - begun;
      if (act != Act::nothing || now_ >= begun + length) return act;
      now_ += 100ms;
    }
  }
  void open() {
    contact_.connecting(now_);
    contact_.opened(now_);
  }
  void open_and_use() {
    open();
    contact_.useful(now_);
  }
};

TEST_F(AppmgrContact, ConnectsAtOnce) { EXPECT_EQ(contact_.due(now_), Act::connect); }

TEST_F(AppmgrContact, AttemptsFollowEachOtherEverSlower) {
  std::vector<int> waits;
  for (int i = 0; i < 7; ++i) {
    contact_.connecting(now_);
    contact_.lost(now_);
    Contact::Length took{};
    ASSERT_EQ(within(20s, &took), Act::connect);
    waits.push_back(static_cast<int>(took / 1ms));
  }
  EXPECT_EQ(waits, (std::vector<int>{100, 200, 400, 800, 1000, 1000, 1000}));
  // And quickly again after a connection that was of use.
  open_and_use();
  contact_.lost(now_);
  Contact::Length took{};
  EXPECT_EQ(within(20s, &took), Act::connect);
  EXPECT_EQ(took, 100ms);
}

TEST_F(AppmgrContact, AnAttemptTakesAThirdAtMost) {
  contact_.connecting(now_);
  EXPECT_EQ(contact_.attempt_ends(), now_ + 3s);
  Contact::Length took{};
  EXPECT_EQ(within(20s, &took), Act::drop);
  EXPECT_EQ(took, 3s);
}

TEST_F(AppmgrContact, NeverReachedItIsGivenUpAfterT) {
  const auto begun = now_;
  for (;;) {
    const Act act = within(20s);
    if (act == Act::give_up) break;
    if (act == Act::connect) contact_.connecting(now_);
    if (act == Act::drop) contact_.lost(now_);
    ASSERT_LT(now_, begun + 100s);
  }
  EXPECT_EQ(now_, begun + kTimeout);
  EXPECT_FALSE(contact_.ever_useful());
}

TEST_F(AppmgrContact, ASilentConnectionIsAskedThenDroppedThenGivenUp) {
  open_and_use();
  const auto heard = now_;
  EXPECT_EQ(within(20s), Act::ping);
  EXPECT_EQ(now_, heard + 1s);
  contact_.pinged(now_);
  EXPECT_EQ(within(20s), Act::ping);
  EXPECT_EQ(now_, heard + 2s);
  contact_.pinged(now_);
  EXPECT_EQ(within(20s), Act::drop);
  EXPECT_EQ(now_, heard + 3s);
  contact_.lost(now_);
  // Nobody is there any more.
  for (;;) {
    const Act act = within(20s);
    if (act == Act::give_up) break;
    if (act == Act::connect) contact_.connecting(now_);
    if (act == Act::drop) contact_.lost(now_);
    ASSERT_LT(now_, heard + 100s);
  }
  EXPECT_EQ(now_, heard + kTimeout);
  EXPECT_TRUE(contact_.ever_useful());
}

TEST_F(AppmgrContact, WhatIsHeardKeepsIt) {
  open_and_use();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(within(900ms), Act::nothing);
    contact_.heard(now_);
  }
}

// A port that takes connections and does nothing with them.
TEST_F(AppmgrContact, ConnectionsThatAreOfNoUseDoNotCount) {
  const auto begun = now_;
  for (;;) {
    const Act act = within(20s);
    if (act == Act::give_up) break;
    ASSERT_EQ(act, Act::connect);
    open();
    contact_.heard(now_);
    contact_.lost(now_);
    ASSERT_LT(now_, begun + 100s);
  }
  EXPECT_EQ(now_, begun + kTimeout);
}

TEST_F(AppmgrContact, OneThatNeverBecomesOfUseIsDroppedThoughItIsHeard) {
  open();
  const auto opened = now_;
  while (contact_.due(now_) != Act::drop) {
    now_ += 100ms;
    contact_.heard(now_);
    ASSERT_LT(now_, opened + 100s);
  }
  EXPECT_EQ(now_, opened + 30s);
  contact_.lost(now_);
  EXPECT_EQ(contact_.due(now_), Act::give_up);
}

TEST_F(AppmgrContact, APauseOfOurOwnIsNobodysSilence) {
  open_and_use();
  within(1s);
  contact_.pinged(now_);
  now_ += 3600s;
  EXPECT_EQ(contact_.due(now_), Act::nothing);
  // From here on as before.
  const auto resumed = now_;
  for (;;) {
    const Act act = within(20s);
    if (act == Act::drop) break;
    ASSERT_EQ(act, Act::ping);
    contact_.pinged(now_);
    ASSERT_LT(now_, resumed + 100s);
  }
  EXPECT_EQ(now_, resumed + 2s);
}

TEST_F(AppmgrContact, APauseWhileApartLeavesTimeToConnect) {
  contact_.connecting(now_);
  contact_.lost(now_);
  contact_.due(now_);
  now_ += 3600s;
  EXPECT_EQ(contact_.due(now_), Act::connect);
}

TEST_F(AppmgrContact, TellsWhenToAskAgain) {
  EXPECT_LE(contact_.next(now_), now_);
  contact_.connecting(now_);
  EXPECT_EQ(contact_.next(now_), now_ + 1s);  // so that a pause is seen
  contact_.lost(now_);
  EXPECT_EQ(contact_.next(now_), now_ + 100ms);
  open_and_use();
  EXPECT_EQ(contact_.next(now_), now_ + 1s);
  const auto pinged = now_ + 950ms;
  EXPECT_EQ(contact_.next(pinged), now_ + 1s);
  contact_.pinged(pinged);
  EXPECT_EQ(contact_.next(pinged), pinged + 1s);
}

}  // namespace
}  // namespace genapp::remote
