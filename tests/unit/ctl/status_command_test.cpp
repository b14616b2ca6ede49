// `genapp status` where an agent runs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "ctl/commands.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"
#include "tests/unit/ctl/played_agent.hpp"

namespace genapp::ctl {
namespace {

using common::ExitCode;
using testing::HasSubstr;
using testing::Not;

class StatusCommand : public testing::Test {
 protected:
  StatusCommand() {
    std::filesystem::create_directories(folder_ / "etc/resources.d");
    std::filesystem::create_directory(folder_ / "run");
    tests::write_file(folder_ / "etc/resources.d/db.toml",
                      "id = \"db1\"\ntype = \"lbhc\"\ninfo = \"54321 OK\"\n");
  }

  struct Shown {
    ExitCode code;
    std::string out;
    std::string err;
  };
  static Shown show(std::vector<const char*> words) {
    words.insert(words.begin(), "status");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const ExitCode code = status(static_cast<int>(words.size()), words.data());
    std::string err = testing::internal::GetCapturedStderr();
    return {code, testing::internal::GetCapturedStdout(), std::move(err)};
  }

  static std::string agent_answer(std::string_view) {
    return R"({"ok":true,"status":{"version":1,"agent":{"version":"9","pid":1,"since":"T"},)"
           R"("groups":[],"resources":[{"tag":"db","group":null,"state":"Offline",)"
           R"("faulted":false,"fault":null,"suspended":false,"running":null,"goal":null,)"
           R"("last_reason":null,"monitors":[]}]}})"
           "\n";
  }

  tests::TempDir folder_;
  tests::ScopedEnv config_dir_{"GENAPP_CONFIG_DIR", folder_ / "etc"};
  tests::ScopedEnv run_dir_{"GENAPP_RUN_DIR", folder_ / "run"};
  tests::ScopedEnv lifekeeper_{"LKROOT", folder_ / "none"};
};

TEST_F(StatusCommand, ShowsWhatTheAgentSaysAndGoesOnWithoutIt) {
  const Shown without = show({});
  EXPECT_EQ(without.code, ExitCode::ok) << without.err;
  EXPECT_THAT(without.out, Not(HasSubstr("AGENT")));
  const tests::PlayedAgent agent(agent_answer);
  const Shown with = show({});
  EXPECT_EQ(with.code, ExitCode::ok) << with.err;
  EXPECT_EQ(with.out, without.out +
                          "\ngenapp-agent 9, process 1, since T\n"
                          "TAG  GROUP  AGENT    GOAL  TASK  MONITORS  FAULT\n"
                          "db   -      Offline  -     -     -         -\n");
  const Shown json = show({"db", "--json"});
  EXPECT_EQ(boost::json::parse(json.out).at("resources").at(0).at("agent").at("state"), "Offline");
}

TEST_F(StatusCommand, AnAgentThatTalksNonsenseDoesNotHideTheRest) {
  const Shown without = show({});
  const tests::PlayedAgent agent([](std::string_view) { return std::string("what?\n"); });
  const Shown with = show({});
  EXPECT_EQ(with.code, ExitCode::failed);
  EXPECT_EQ(with.out, without.out);
  EXPECT_THAT(with.err, HasSubstr("genapp: error: the agent answered \"what?"));
}

}  // namespace
}  // namespace genapp::ctl
