#include "common/error.hpp"

#include <errno.h>
#include <gtest/gtest.h>

namespace genapp::common {
namespace {

TEST(Error, ExitsWithOneUnlessToldOtherwise) {
  EXPECT_EQ(Error("x").exit_code(), ExitCode::failed);
  EXPECT_EQ(Error("x", ExitCode::usage).exit_code(), ExitCode::usage);
  EXPECT_EQ(static_cast<int>(ExitCode::failed), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::usage), 64);
}

TEST(Error, SystemErrorsSayWhatAndWhy) {
  const Error problem = system_error("writing /run/x", ENOSPC);
  EXPECT_STREQ(problem.what(), "writing /run/x: No space left on device");
  EXPECT_EQ(problem.exit_code(), ExitCode::failed);
}

TEST(Error, UnknownNumbersHaveATextToo) {
  EXPECT_EQ(errno_text(4095), "error 4095");
  EXPECT_EQ(errno_text(-1), "error -1");
}

}  // namespace
}  // namespace genapp::common
