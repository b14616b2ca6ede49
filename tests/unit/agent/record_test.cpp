#include "agent/record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace genapp::agent {
namespace {

// Every member apart from its default.
Record full_record() {
  Record record;
  record.id = "web1";
  record.group = "shop";
  record.enabled = false;
  record.suspended = true;
  record.faulted = true;
  record.fault = "it said \"no\" and ünd";
  record.standby = true;
  record.goal = Goal::offline;
  record.new_fault = true;
  record.giving_up = true;
  record.task = Task::clean;
  record.by_recover = true;
  record.not_taken_out = true;
  record.monitor = "db";
  record.state = State::going_offline_wait;
  record.restarts = 3;
  record.tolerated = 2;
  record.monitors = {{"db", {4, std::chrono::milliseconds(123456789)}}, {"page", {1, {}}}};
  return record;
}

std::string edited_record(const std::string& from, const std::string& to) {
  std::string text = format_record(full_record());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " is not in " << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(Record, IsOneLineThatIsReadAsItWasWritten) {
  for (const Record& record : {Record{}, full_record()}) {
    const std::string text = format_record(record);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
    EXPECT_TRUE(text.ends_with("}\n"));
    EXPECT_EQ(parse_record(text), record) << text;
  }
}

TEST(Record, OfEveryStateGoalAndTaskThatOutlivesTheAgent) {
  Record record;
  for (int state = 0; state <= static_cast<int>(State::going_offline_wait); ++state) {
    record.state = static_cast<State>(state);
    EXPECT_EQ(parse_record(format_record(record)), record) << name_of(record.state);
  }
  for (const Task task : {Task::start, Task::stop, Task::clean}) {
    record.task = task;
    EXPECT_EQ(parse_record(format_record(record)), record) << name_of(task);
  }
  for (const Goal goal : {Goal::online, Goal::offline}) {
    record.goal = goal;
    EXPECT_EQ(parse_record(format_record(record)), record) << name_of(goal);
  }
}

// A script's last words may be anything; the record must not be lost by them.
TEST(Record, AFaultsWordsMayBeAnyBytes) {
  Record record;
  record.fault = "line\n\xff\x1b[31m";
  const auto read = parse_record(format_record(record));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->fault, "line\\n\\xff\\x1b[31m");
}

TEST(Record, OfALaterVersionMayHaveMore) {
  EXPECT_EQ(parse_record(edited_record("{", "{\"more\":[{}],")), full_record());
}

TEST(Record, OfAnEarlierVersionHasNoMonitors) {
  std::string text = format_record(full_record());
  const auto at = text.find(",\"monitors\":");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string::npos, "}\n");
  Record earlier = full_record();
  earlier.monitors.clear();
  EXPECT_EQ(parse_record(text), earlier);
}

TEST(Record, NothingElseIsOne) {
  EXPECT_FALSE(parse_record(""));
  EXPECT_FALSE(parse_record("{}"));
  EXPECT_FALSE(parse_record("[]\n"));
  EXPECT_FALSE(parse_record("null"));
  const std::string text = format_record(full_record());
  EXPECT_FALSE(parse_record(text.substr(0, text.size() / 2)));
  EXPECT_FALSE(parse_record(text + text));
  EXPECT_FALSE(parse_record(std::string(100000, '[')));
}

TEST(Record, AWrongMemberIsNone) {
  const std::pair<const char*, const char*> edits[]{
      {"\"enabled\":false", "\"enabled\":0"},
      {"\"enabled\":false", "\"enable\":false"},
      {"\"suspended\":true", "\"suspended\":\"true\""},
      {"\"faulted\":true", "\"faulted\":null"},
      {"\"standby\":true", "\"standby\":[]"},
      {"\"giving_up\":true", "\"giving_up\":1"},
      {"\"by_recover\":true", "\"by_recover\":{}"},
      {"\"goal\":\"offline\"", "\"goal\":\"\""},
      {"\"goal\":\"offline\"", "\"goal\":\"Offline\""},
      {"\"task\":\"clean\"", "\"task\":\"monitor\""},
      {"\"task\":\"clean\"", "\"task\":2"},
      {"GoingOfflineWait", "GoingNowhere"},
      {"\"state\":\"GoingOfflineWait\"", "\"state\":null"},
      {"\"restarts\":3", "\"restarts\":-1"},
      {"\"restarts\":3", "\"restarts\":1.5"},
      {"\"tolerated\":2", "\"tolerated\":1e30"},
      {"ünd", "\xff"},
      {"\"monitors\":{", "\"monitors\":{\"x\":3,"},
      {"\"monitors\":{", "\"monitors\":{\"x\":{\"restarts\":1},"},
      {"\"restarts\":4", "\"restarts\":-4"},
      {"123456789", "-1"},
      {"123456789", "1.5"},
      {"123456789", "9223372036855"},
  };
  for (const auto& [from, to] : edits) EXPECT_FALSE(parse_record(edited_record(from, to))) << to;
}

}  // namespace
}  // namespace genapp::agent
