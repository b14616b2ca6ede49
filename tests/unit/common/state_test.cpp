#include "common/state.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace genapp::common {
namespace {

TEST(State, HasLifeKeepersWords) {
  EXPECT_EQ(state_text(State::in_service_protected), "ISP");
  EXPECT_EQ(state_text(State::in_service_unprotected), "ISU");
  EXPECT_EQ(state_text(State::out_unimpaired), "OSU");
  EXPECT_EQ(state_text(State::out_failed), "OSF");
}

TEST(State, IsReadBackFromItsWord) {
  for (const State state : {State::in_service_protected, State::in_service_unprotected,
                            State::out_unimpaired, State::out_failed}) {
    EXPECT_EQ(parse_state(state_text(state)), state);
  }
}

TEST(State, TakesNoOtherWord) {
  for (const char* text : {"", "isp", "ISP ", " ISP", "ISPX", "IS", "ISP\n", "?", "1"}) {
    EXPECT_FALSE(parse_state(text)) << text;
  }
}

TEST(StateLine, IsReadBackAsWrittenAndNotInPart) {
  for (const State state : {State::in_service_protected, State::in_service_unprotected,
                            State::out_unimpaired, State::out_failed}) {
    const std::string line = state_line(state);
    EXPECT_EQ(line, std::string(state_text(state)) + "\n");
    EXPECT_EQ(parse_state_line(line), state);
    for (std::size_t cut = 0; cut < line.size(); ++cut) {
      EXPECT_FALSE(parse_state_line(line.substr(0, cut))) << line;
    }
    EXPECT_FALSE(parse_state_line(line + "\n"));
    EXPECT_FALSE(parse_state_line(line + line));
  }
}

TEST(State, InServiceIsProtectedOrNot) {
  EXPECT_TRUE(in_service(State::in_service_protected));
  EXPECT_TRUE(in_service(State::in_service_unprotected));
  EXPECT_FALSE(in_service(State::out_unimpaired));
  EXPECT_FALSE(in_service(State::out_failed));
}

}  // namespace
}  // namespace genapp::common
