#include "ctl/drill/args.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"

namespace genapp::ctl::drill {
namespace {

Args parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "drill");
  return parse_args(static_cast<int>(arguments.size()), arguments.data());
}

TEST(DrillArgs, NameOneFault) {
  const Args args = parse({"-t", "lb", "--fault", "port-taken"});
  EXPECT_EQ(args.tag.text(), "lb");
  EXPECT_THAT(args.faults, testing::ElementsAre(Fault::port_taken));
  EXPECT_FALSE(args.json || args.yes || args.probe);
  EXPECT_EQ(args.programs, "");
}

TEST(DrillArgs, TakeEveryOption) {
  const Args args = parse(
      {"--yes", "--json", "--probe", "--programs", "/opt/x", "--tag", "lb", "--fault", "hung"});
  EXPECT_TRUE(args.json && args.yes && args.probe);
  EXPECT_EQ(args.programs, "/opt/x");
}

TEST(DrillArgs, KnowEveryFaultByName) {
  for (const Row& row : kFaults) {
    EXPECT_THAT(parse({"-t", "lb", "--fault", row.name.data()}).faults,
                testing::ElementsAre(row.fault));
  }
}

TEST(DrillArgs, AllIsEveryFaultInOrder) {
  EXPECT_THAT(parse({"-t", "lb", "--all"}).faults,
              testing::ElementsAre(Fault::no_probe, Fault::killed, Fault::hung, Fault::port_taken,
                                   Fault::disk_full));
}

TEST(DrillArgs, RefuseTheRest) {
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{},
                                             {"-t", "lb"},
                                             {"--all"},
                                             {"--fault", "hung"},
                                             {"-t", "lb", "--all", "--fault", "hung"},
                                             {"-t", "lb", "--fault", "hang"},
                                             {"-t", "lb", "--fault", ""},
                                             {"-t", "lb", "--fault"},
                                             {"-t", "lb", "--fault", "hung", "--fault", "killed"},
                                             {"-t", "../x", "--all"},
                                             {"-t", "lb", "--all", "more"},
                                             {"-t", "lb", "--all", "--force"},
                                             {"-t", "lb", "--al"}}) {
    try {
      parse(arguments);
      ADD_FAILURE() << testing::PrintToString(arguments);
    } catch (const common::Error& problem) {
      EXPECT_EQ(problem.exit_code(), common::ExitCode::usage) << problem.what();
    }
  }
}

}  // namespace
}  // namespace genapp::ctl::drill
