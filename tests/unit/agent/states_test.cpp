#include "agent/states.hpp"

#include <gtest/gtest.h>

#include "agent/states_page.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::agent {
namespace {

const std::string kDocs = GENAPP_SOURCE_DIR "/docs/";

// What the table is held to at compile time is in states.cpp. Here: what is looked up in it.
TEST(States, ARowIsFoundByItsStateAndEventAndNoOther) {
  for (const Row& row : rows()) EXPECT_EQ(find_row(row.from, row.event), &row) << row.name;
  EXPECT_EQ(find_row(State::detached, Event::command_online), nullptr);
  EXPECT_EQ(find_row(State::going_online, Event::disable), nullptr);
}

TEST(States, HaveTheNamesOfTheSeed) {
  EXPECT_EQ(name_of(State::detached), "Detached");
  EXPECT_EQ(name_of(State::going_online_wait), "GoingOnlineWait");
  EXPECT_EQ(name_of(State::going_offline_wait), "GoingOfflineWait");
  EXPECT_EQ(name_of(Event::clean_failed), "clean_failed");
  EXPECT_EQ(name_of(Action::report_not_stopped), "report: not stopped");
}

// When the table has changed: states_page md >docs/states.md; states_page svg >docs/states.svg
TEST(States, ThePageAndItsPictureAreThoseOfTheTable) {
  EXPECT_EQ(tests::read_file(kDocs + "states.md"), states_markdown());
  EXPECT_EQ(tests::read_file(kDocs + "states.svg"), states_svg());
}

}  // namespace
}  // namespace genapp::agent
