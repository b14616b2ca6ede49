#include "script/app_file.hpp"

#include <gtest/gtest.h>

#include "common/paths.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::script {
namespace {

using common::Id;

TEST(AppRecord, IsReadAsItWasWritten) {
  for (const AppRecord& record :
       {AppRecord{{42, 4711}}, AppRecord{{42, 4711}, "process 42 exited with 3, at noon"}}) {
    EXPECT_EQ(parse_app_record(format_app_record(record)), record);
  }
}

TEST(AppRecord, KeepsTheEndOnOneLine) {
  const auto record = parse_app_record(format_app_record({{42, 4711}, "two\nlines"}));
  EXPECT_EQ(record->ended, "two\\nlines");
}

// Half a record is none: half a pid is another process's.
TEST(AppRecord, HalfOfOneIsNone) {
  const std::string text = format_app_record({{42, 4711}, "exited with 3"});
  const auto first = text.find('\n') + 1;
  for (std::size_t size = 0; size < text.size(); ++size) {
    if (size == first) continue;  // the whole of one that has not ended
    EXPECT_FALSE(parse_app_record(text.substr(0, size))) << size;
  }
  for (const char* const wrong :
       {"x", "\n", "42\n", "42 x\n", "-1 2\n", "exited with 3\n", "42 1\na\nb\n"}) {
    EXPECT_FALSE(parse_app_record(wrong)) << wrong;
  }
}

TEST(AppFile, IsReplacedWhole) {
  const tests::TempDir temp;
  const common::Directory dir = tests::open_dir(temp.path());
  const Id id("web1");
  EXPECT_FALSE(read_app_record(dir, id));
  write_app_record(dir, id, {{42, 4711}});
  EXPECT_EQ(read_app_record(dir, id), (AppRecord{{42, 4711}}));
  write_app_record(dir, id, {{42, 4711}, std::string(100'000, '\x01')});
  const auto read = read_app_record(dir, id);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->ended.empty());
}

TEST(AppFile, GarbageInItIsNoRecord) {
  const tests::TempDir temp;
  const common::Directory dir = tests::open_dir(temp.path());
  tests::write_file(temp / common::paths::app_name(Id("web1")), std::string("\0\xff 12", 5));
  EXPECT_FALSE(read_app_record(dir, Id("web1")));
}

}  // namespace
}  // namespace genapp::script
