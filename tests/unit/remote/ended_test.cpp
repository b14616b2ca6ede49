#include "remote/ended.hpp"

#include <gtest/gtest.h>

namespace genapp::remote {
namespace {

TEST(RemoteEnded, ComesBackAsItWas) {
  for (const common::Ending ending : {common::Ending{false, 0}, common::Ending{false, 255},
                                      common::Ending{true, 9}, common::Ending{true, 64}}) {
    EXPECT_EQ(parse_ended(format_ended(ending)), ending);
  }
  EXPECT_EQ(format_ended({false, 3}), "code 3\n");
  EXPECT_EQ(format_ended({true, 15}), "signal 15\n");
}

TEST(RemoteEnded, OfAnotherFormIsNone) {
  for (const char* const text :
       {"", "\n", "code", "code \n", "code 1", "code 1\n\n", "code 256\n", "code -1\n", "code 1 \n",
        "signal\n", "signal x\n", "Code 1\n", " code 1\n", "code 99999999999999999999\n"}) {
    EXPECT_FALSE(parse_ended(text)) << text;
  }
}

}  // namespace
}  // namespace genapp::remote
