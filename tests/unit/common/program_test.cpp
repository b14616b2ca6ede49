#include "common/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "common/error.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::common {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr Program kProgram{"thing", "does things", "Usage: thing -x\n"};

struct Ended {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Ended run(std::vector<const char*> arguments, const std::function<ExitCode()>& work,
          const Program& program = kProgram) {
  arguments.insert(arguments.begin(), "renamed-by-lifekeeper");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Ended ended;
  ended.exit_code =
      run_program(program, static_cast<int>(arguments.size()), arguments.data(), work);
  ended.out = testing::internal::GetCapturedStdout();
  ended.err = testing::internal::GetCapturedStderr();
  return ended;
}

Ended run_and_throw(const Error& problem) {
  return run({}, [&]() -> ExitCode { throw problem; });
}

TEST(Program, ExitsWithWhatTheWorkReturns) {
  EXPECT_EQ(run({}, [] { return ExitCode::ok; }).exit_code, 0);
  EXPECT_EQ(run({}, [] { return ExitCode::failed; }).exit_code, 1);
  EXPECT_EQ(run({}, [] { return ExitCode::failed; }).err, "");
}

TEST(Program, TellsAnErrorOnOneLineAndExits1) {
  const Ended ended = run_and_throw(Error("port 80 is in use"));
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(ended.err, "thing: error: port 80 is in use\n");
  EXPECT_EQ(ended.out, "");
}

TEST(Program, AWrongCommandLineExits64AndPointsToTheHelp) {
  const Ended ended = run_and_throw(Error("missing -t TAG", ExitCode::usage));
  EXPECT_EQ(ended.exit_code, 64);
  EXPECT_EQ(ended.err, "thing: error: missing -t TAG; see thing --help\n");
}

TEST(Program, TurnsEveryOtherExceptionIntoALineToo) {
  const Ended memory = run({}, []() -> ExitCode { throw std::bad_alloc(); });
  EXPECT_EQ(memory.exit_code, 1);
  EXPECT_EQ(memory.err, "thing: error: out of memory\n");
  const Ended other = run({}, []() -> ExitCode { throw std::runtime_error("odd\nthing"); });
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_EQ(other.err, "thing: error: odd\\nthing\n");
}

// A path from the environment may hold a line feed; the error stays one line.
TEST(Program, ALineFeedInAnErrorDoesNotMakeTwoLines) {
  const Ended ended = run_and_throw(Error("run directory /tmp/a\nb does not exist"));
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

TEST(Program, AnswersHelpAndVersionWithoutWorking) {
  const auto never = []() -> ExitCode {
    ADD_FAILURE() << "worked";
    return ExitCode::failed;
  };
  for (const char* option : {"--help", "-h"}) {
    const Ended ended = run({option}, never);
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_THAT(ended.out, StartsWith("thing: does things\n"));
    EXPECT_THAT(ended.out, HasSubstr("Usage: thing -x\n"));
  }
  const Ended version = run({"--version"}, never);
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out, "thing (genapp) " GENAPP_VERSION "\n");
}

// httpmon's -h is a request URI.
TEST(Program, LeavesAnHToAProgramThatHasAnotherUseForIt) {
  Program program = kProgram;
  program.h_is_help = false;
  const Ended ended = run(
      {"-h", "/"}, [] { return ExitCode::failed; }, program);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(run(
                {"--help"}, [] { return ExitCode::failed; }, program)
                .exit_code,
            0);
}

// A cluster's further arguments must not turn a restore into a help text that exits 0.
TEST(Program, AnswersThemOnlyAsTheFirstArgument) {
  const Ended ended = run({"-t", "--help"}, [] { return ExitCode::failed; });
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_EQ(ended.out, "");
}

TEST(Program, FailsWhenTheHelpCanNotBeWritten) {
  tests::Child child([] {
    if (!::freopen("/dev/full", "w", stdout)) return 2;
    const std::vector<const char*> argv{"thing", "--help"};
    return run_program(kProgram, 2, argv.data(), [] { return ExitCode::ok; });
  });
  EXPECT_EQ(child.wait(), 1);
}

TEST(Program, IsNotEndedByAClosedPipe) {
  tests::Child child([] {
    const std::vector<const char*> argv{"thing"};
    return run_program(kProgram, 1, argv.data(), [] {
      ::raise(SIGPIPE);
      return ExitCode::ok;
    });
  });
  EXPECT_EQ(child.wait(), 0);
}

TEST(Program, NeedsNoArguments) {
  EXPECT_EQ(run_program(kProgram, 0, nullptr, [] { return ExitCode::ok; }), 0);
}

}  // namespace
}  // namespace genapp::common
