#include "script/action.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace genapp::script {
namespace {

using namespace std::chrono_literals;

TEST(ScriptAction, EveryRowStandsAtItsActionsPlace) {
  for (const ActionRow& row : kActions) EXPECT_EQ(row_of(row.action).name, row.name);
  EXPECT_EQ(kActions.size(), 4u);
}

TEST(ScriptAction, NamesKeysAndEventsAreDistinct) {
  std::set<std::string_view> names;
  std::set<std::string_view> keys;
  std::set<std::string_view> events;
  for (const ActionRow& row : kActions) {
    names.insert(row.name);
    keys.insert(row.key);
    events.insert(row.event);
  }
  EXPECT_EQ(names, (std::set<std::string_view>{"restore", "remove", "quickCheck", "recover"}));
  EXPECT_EQ(keys, (std::set<std::string_view>{"restore", "remove", "quickcheck", "recover"}));
  EXPECT_EQ(events, (std::set<std::string_view>{"START", "STOP", "CHECK", "RECOVER"}));
}

TEST(ScriptAction, DefaultsAreTheDocumentedOnes) {
  EXPECT_EQ(row_of(Action::restore).timeout, 300s);
  EXPECT_EQ(row_of(Action::remove).timeout, 300s);
  EXPECT_EQ(row_of(Action::recover).timeout, 300s);
  // LifeKeeper gives a quickCheck 22 s.
  EXPECT_EQ(row_of(Action::quick_check).timeout, 20s);
}

// What has been started is the application, a stop is over when all of it is, a check leaves
// nothing.
TEST(ScriptAction, RulesOnWhatIsLeftRunning) {
  EXPECT_EQ(row_of(Action::restore).leftovers, Leftovers::keep);
  EXPECT_EQ(row_of(Action::recover).leftovers, Leftovers::keep);
  EXPECT_EQ(row_of(Action::remove).leftovers, Leftovers::await);
  EXPECT_EQ(row_of(Action::quick_check).leftovers, Leftovers::end);
}

}  // namespace
}  // namespace genapp::script
