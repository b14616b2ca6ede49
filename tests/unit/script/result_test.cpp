#include "script/result.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace genapp::script {
namespace {

using namespace std::chrono_literals;

TEST(ScriptResult, OnlyAnExitWithZeroIsASuccess) {
  EXPECT_TRUE((Result{How::exited, 0}.succeeded()));
  EXPECT_FALSE((Result{How::exited, 1}.succeeded()));
  EXPECT_FALSE((Result{How::exited, 255}.succeeded()));
  for (const How how : {How::signalled, How::timed_out, How::interrupted, How::could_not_start}) {
    EXPECT_FALSE((Result{how, 0}.succeeded()));
  }
}

TEST(ScriptResult, SaysHowItEnded) {
  EXPECT_EQ(result_text({How::exited, 3}, 1s), "exited with 3");
  EXPECT_EQ(result_text({How::signalled, SIGSEGV}, 1s), "was killed by signal 11 (SEGV)");
  EXPECT_EQ(result_text({How::timed_out}, 1500ms), "did not end within 1.5 s and was ended");
  EXPECT_EQ(result_text({How::interrupted, SIGTERM}, 1s),
            "was ended, because this runner got signal 15 (TERM)");
  EXPECT_EQ(result_text({How::could_not_start, 0, "it is a directory"}, 1s), "it is a directory");
}

TEST(ScriptResult, ASignalHasItsNumberAndItsNameWhereItHasOne) {
  EXPECT_EQ(signal_text(SIGKILL), "9 (KILL)");
  EXPECT_EQ(signal_text(SIGRTMIN + 1), std::to_string(SIGRTMIN + 1));
  EXPECT_EQ(signal_text(0), "0");
}

}  // namespace
}  // namespace genapp::script
