#include "remote/appserver/session_record.hpp"

#include <gtest/gtest.h>

namespace genapp::remote {
namespace {

SessionRecord record() {
  return {"manager-1", "host1", "web", "www", {"/bin/a", "two words", ""}, 1'700'000'000};
}

TEST(RemoteSessionRecord, ComesBackAsItWas) {
  const std::string text = format_session_record(record());
  EXPECT_TRUE(text.ends_with("\n"));
  EXPECT_EQ(parse_session_record(text), record());
}

TEST(RemoteSessionRecord, APartOfItIsNone) {
  const std::string text = format_session_record(record());
  for (std::size_t size = 0; size < text.size() - 1; ++size) {
    EXPECT_FALSE(parse_session_record(text.substr(0, size))) << size;
  }
  EXPECT_FALSE(parse_session_record("{}"));
  EXPECT_FALSE(parse_session_record("[]"));
}

TEST(RemoteSessionRecord, EachEndComesBackAsItWas) {
  for (const SessionEnd& end :
       {SessionEnd(), SessionEnd({false, 0}), SessionEnd({false, 255}), SessionEnd({true, 9})}) {
    const auto read = parse_session_end(format_session_end(end));
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, end);
  }
  for (const char* const text :
       {"", "code 1", "code\n", "code x\n", "code 256\n", "code -1\n", "signal 9 \n", "gone\n"}) {
    EXPECT_FALSE(parse_session_end(text)) << text;
  }
}

}  // namespace
}  // namespace genapp::remote
