#include <gtest/gtest.h>

#include <vector>

#include "common/error.hpp"
#include "ctl/status.hpp"

namespace genapp::ctl {
namespace {

StatusArgs parse_status_options(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "status");
  return parse_status_args(static_cast<int>(arguments.size()), arguments.data());
}

TEST(StatusArgs, AreAllOptional) {
  const StatusArgs args = parse_status_options({});
  EXPECT_FALSE(args.tag || args.json || args.watch);
  EXPECT_EQ(args.interval, std::chrono::seconds(1));
}

TEST(StatusArgs, InAnyOrder) {
  const StatusArgs args = parse_status_options({"--watch", "lb", "--interval", "0.25", "--json"});
  EXPECT_EQ(args.tag->text(), "lb");
  EXPECT_TRUE(args.json && args.watch);
  EXPECT_EQ(args.interval, std::chrono::milliseconds(250));
}

TEST(StatusArgs, RefuseTheRest) {
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"a", "b"},
                                             {"../x"},
                                             {""},
                                             {"--wat"},
                                             {"--interval", "1"},
                                             {"--watch", "--interval"},
                                             {"--watch", "--interval", "0"},
                                             {"--watch", "--interval", "-1"},
                                             {"--watch", "--interval", "nan"},
                                             {"--watch", "--interval", "inf"},
                                             {"--watch", "--interval", "1e9"},
                                             {"--watch", "--interval", "1s"},
                                             {"--watch", "--interval", "1", "--interval", "2"}}) {
    try {
      parse_status_options(arguments);
      ADD_FAILURE() << "taken: " << testing::PrintToString(arguments);
    } catch (const common::Error& problem) {
      EXPECT_EQ(problem.exit_code(), common::ExitCode::usage) << problem.what();
    }
  }
}

}  // namespace
}  // namespace genapp::ctl
