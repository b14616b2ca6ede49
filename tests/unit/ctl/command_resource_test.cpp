#include "ctl/command_resource.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "common/error.hpp"
#include "ctl/agent_client.hpp"
#include "ctl/commands.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/testing.hpp"
#include "tests/unit/ctl/played_agent.hpp"

namespace genapp::ctl {
namespace {

using namespace std::chrono_literals;
using common::ExitCode;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using tests::error_of;
using tests::PlayedAgent;

CommandArgs parsed_command(std::vector<const char*> words) {
  return parse_command_args(static_cast<int>(words.size()), words.data());
}

TEST(CommandArgs, NameAResourceOrAGroup) {
  const CommandArgs one = parsed_command({"online", "lb:2"});
  EXPECT_FALSE(one.of_group);
  EXPECT_EQ(one.wait, 600s);
  EXPECT_EQ(request_of(one), "online lb:2");
  EXPECT_EQ(status_request_of(one), "status lb:2");
  const CommandArgs group = parsed_command({"offline", "--group", "web", "--wait", "0.25"});
  EXPECT_EQ(group.wait, 250ms);
  EXPECT_EQ(request_of(group), "offline group web");
  EXPECT_EQ(status_request_of(group), "status");
  EXPECT_FALSE(parsed_command({"online", "--wait", "0", "db"}).waits());
}

TEST(CommandArgs, OfTheOthersWaitForNothing) {
  for (const char* word : {"enable", "disable", "clear", "suspend", "resume"}) {
    EXPECT_FALSE(parsed_command({word, "db"}).waits()) << word;
    EXPECT_EQ(request_of(parsed_command({word, "--group", "web"})),
              std::string(word) + " group web");
  }
}

TEST(CommandArgs, RefuseTheRest) {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"online"},
                                             {"online", ""},
                                             {"online", "../x"},
                                             {"online", "a", "b"},
                                             {"online", "a", "--group", "g"},
                                             {"online", "--group", ""},
                                             {"online", "--group", "a b"},
                                             {"online", "--group"},
                                             {"online", "a", "--wait"},
                                             {"online", "a", "--wait", "-1"},
                                             {"online", "a", "--wait", "nan"},
                                             {"online", "a", "--wait", "1s"},
                                             {"online", "a", "--wait", "1e9"},
                                             {"clear", "a", "--wait", "1"},
                                             {"clear"}}) {
    try {
      parsed_command(words);
      ADD_FAILURE() << "taken: " << testing::PrintToString(words);
    } catch (const common::Error& problem) {
      EXPECT_EQ(problem.exit_code(), ExitCode::usage) << problem.what();
    }
  }
}

AgentResource agent_resource(const std::string& tag, const std::string& state) {
  AgentResource made;
  made.tag = tag;
  made.group = "web";
  made.state = state;
  return made;
}

AgentStatus status_with(const std::vector<AgentResource>& resources) {
  AgentStatus status;
  for (const auto& one : resources) status.resources[one.tag] = one;
  return status;
}

TEST(Outcome, IsReachedInTheStateThatWasAskedForAlsoWhileItIsLookedAfter) {
  AgentResource db = agent_resource("db", "Online");
  EXPECT_EQ(outcome_of(parsed_command({"online", "db"}), status_with({db})).kind,
            Outcome::Kind::reached);
  db.running = "monitor";
  EXPECT_EQ(outcome_of(parsed_command({"online", "db"}), status_with({db})).kind,
            Outcome::Kind::reached);
  db.state = "Offline";
  EXPECT_EQ(outcome_of(parsed_command({"offline", "db"}), status_with({db})).kind,
            Outcome::Kind::reached);
}

TEST(Outcome, IsOnItsWayWhileThereIsAGoalOrSomethingRuns) {
  AgentResource db = agent_resource("db", "Offline");
  db.goal = "online";
  EXPECT_EQ(outcome_of(parsed_command({"online", "db"}), status_with({db})).kind,
            Outcome::Kind::on_its_way);
  // Not yet asked to stop: the one that depends on it goes first.
  db.state = "Online";
  db.goal = "offline";
  EXPECT_EQ(outcome_of(parsed_command({"online", "db"}), status_with({db})).kind,
            Outcome::Kind::on_its_way);
  db.state = "GoingOffline";
  db.goal.reset();
  db.running = "clean";
  EXPECT_EQ(outcome_of(parsed_command({"online", "db"}), status_with({db})).kind,
            Outcome::Kind::on_its_way);
}

TEST(Outcome, HasFailedWhereNothingIsToBeDoneAnyMore) {
  AgentResource db = agent_resource("db", "Offline");
  db.last_reason = "it is not there";
  auto outcome = outcome_of(parsed_command({"online", "db"}), status_with({db}));
  EXPECT_EQ(outcome.kind, Outcome::Kind::failed);
  EXPECT_EQ(outcome.problem, "\"db\" is not online: it is Offline: it is not there");
  db.faulted = true;
  db.fault = "start: exit code 3";
  outcome = outcome_of(parsed_command({"online", "db"}), status_with({db}));
  EXPECT_EQ(outcome.problem, "\"db\" is not online: it is Offline, faulted: start: exit code 3");
  EXPECT_EQ(outcome_of(parsed_command({"online", "gone"}), status_with({db})).kind,
            Outcome::Kind::failed);
}

TEST(Outcome, OfAGroupIsThatOfAllOfIt) {
  const CommandArgs args = parsed_command({"online", "--group", "web"});
  AgentResource a = agent_resource("a", "Online");
  AgentResource b = agent_resource("b", "Online");
  AgentResource other = agent_resource("other", "Offline");
  other.group = "mail";
  EXPECT_EQ(outcome_of(args, status_with({a, b, other})).kind, Outcome::Kind::reached);
  a.state = "Offline";
  EXPECT_EQ(outcome_of(args, status_with({a, b, other})).kind, Outcome::Kind::failed);
  b.goal = "online";
  EXPECT_EQ(outcome_of(args, status_with({a, b, other})).kind, Outcome::Kind::on_its_way);
  EXPECT_EQ(outcome_of(args, status_with({b, a, other})).kind, Outcome::Kind::on_its_way);
  b.goal.reset();
  b.state = "Offline";
  EXPECT_THAT(outcome_of(args, status_with({a, b, other})).problem,
              AllOf(HasSubstr("\"a\" is not online"), HasSubstr("; \"b\" is not online")));
  EXPECT_EQ(outcome_of(args, status_with({other})).kind, Outcome::Kind::failed);
}

// The commands themselves, with an agent that is played.
class ResourceCommands : public testing::Test {
 protected:
  // What is printed; its error text in `problem_`.
  std::string command(std::vector<const char*> words) {
    testing::internal::CaptureStdout();
    problem_ = error_of([&] { command_resource(static_cast<int>(words.size()), words.data()); });
    return testing::internal::GetCapturedStdout();
  }

  static std::string status(const std::string& state, const std::string& goal,
                            const std::string& fault = "") {
    return R"({"ok":true,"status":{"version":1,"agent":{"version":"1","pid":1,"since":"T"},)"
           R"("groups":[],"resources":[{"tag":"db","group":null,"state":")" +
           state + R"(","faulted":)" + (fault.empty() ? "false" : "true") + R"(,"fault":")" +
           fault + R"(","suspended":false,"running":null,"goal":)" + goal +
           R"(,"last_reason":"","monitors":[]}]}})" + "\n";
  }

  tests::TempDir folder_;
  tests::ScopedEnv run_dir_{"GENAPP_RUN_DIR", folder_ / "run"};
  std::string problem_;
  int looks_ = 0;  // the played agent's
};

TEST_F(ResourceCommands, NeedAnAgent) {
  EXPECT_EQ(command({"online", "db"}), "");
  EXPECT_EQ(problem_, kNoAgent);
  EXPECT_THAT(problem_, HasSubstr("genapp-agent"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run")) << "who only asks makes nothing";
}

// A killed agent's files are no agent.
TEST_F(ResourceCommands, NeedALivingAgent) {
  std::filesystem::create_directories(folder_ / "run/agent");
  tests::write_file(folder_ / "run/agent/pid", "1 1 agent\n");
  tests::write_file(folder_ / "run/agent/sock", "");
  command({"clear", "db"});
  EXPECT_EQ(problem_, kNoAgent);
}

TEST_F(ResourceCommands, OnlineWaitsUntilItIsReached) {
  PlayedAgent agent([this](std::string_view request) -> std::string {
    if (request == "online db") return "{\"ok\":true,\"text\":\"it begins\"}\n";
    return ++looks_ < 3 ? status("GoingOnline", "\"online\"") : status("Online", "null");
  });
  EXPECT_EQ(command({"online", "db"}), "\"db\" is online\n");
  EXPECT_EQ(problem_, "");
  EXPECT_THAT(agent.requests(), ElementsAre("online db", "status db", "status db", "status db"));
}

TEST_F(ResourceCommands, OnlineTellsWhyItHasFailed) {
  PlayedAgent agent([this](std::string_view request) -> std::string {
    if (request == "online db") return "{\"ok\":true,\"text\":\"\"}\n";
    return ++looks_ < 2 ? status("GoingOnline", "\"online\"")
                        : status("Offline", "null", "start: exit code 3");
  });
  EXPECT_EQ(command({"online", "db"}), "");
  EXPECT_EQ(problem_, "\"db\" is not online: it is Offline, faulted: start: exit code 3");
}

TEST_F(ResourceCommands, OfflineGivesUpWaitingAfterItsTime) {
  PlayedAgent agent([](std::string_view request) -> std::string {
    if (request == "offline db") return "{\"ok\":true,\"text\":\"\"}\n";
    return status("GoingOffline", "\"offline\"");
  });
  command({"offline", "db", "--wait", "0.2"});
  EXPECT_EQ(problem_,
            "\"db\" is not offline: it is GoingOffline after 0.2 s, and the agent goes on: "
            "'genapp status' tells more");
}

TEST_F(ResourceCommands, WithoutWaitingTellTheAgentsWords) {
  PlayedAgent agent(
      [](std::string_view) -> std::string { return "{\"ok\":true,\"text\":\"it begins\"}\n"; });
  EXPECT_EQ(command({"online", "db", "--wait", "0"}), "it begins\n");
  EXPECT_EQ(command({"suspend", "--group", "web"}), "it begins\n");
  EXPECT_THAT(agent.requests(), ElementsAre("online db", "suspend group web"));
}

TEST_F(ResourceCommands, TellWhatTheAgentRefuses) {
  PlayedAgent agent([](std::string_view) -> std::string {
    return "{\"ok\":false,\"error\":\"db is faulted: clear it first\"}\n";
  });
  EXPECT_EQ(command({"online", "db"}), "");
  EXPECT_EQ(problem_, "db is faulted: clear it first");
}

// The goal is kept for the agent after it.
TEST_F(ResourceCommands, WaitingGoesOnWithTheNextAgent) {
  std::optional<PlayedAgent> first;
  std::atomic<bool> asked{false};
  first.emplace([&](std::string_view request) -> std::string {
    if (request == "online db") return "{\"ok\":true,\"text\":\"\"}\n";
    asked = true;
    return status("GoingOnline", "\"online\"");
  });
  std::optional<PlayedAgent> second;
  std::thread restart([&] {
    while (!asked) std::this_thread::sleep_for(1ms);
    first.reset();
    std::this_thread::sleep_for(150ms);
    second.emplace([](std::string_view) { return status("Online", "null"); });
  });
  EXPECT_EQ(command({"online", "db"}), "\"db\" is online\n");
  EXPECT_EQ(problem_, "");
  restart.join();
}

TEST_F(ResourceCommands, ReloadTellsTheAgentsWords) {
  PlayedAgent agent([](std::string_view request) -> std::string {
    return request == "reload" ? "{\"ok\":true,\"text\":\"5 resources\"}\n" : "";
  });
  const char* const words[]{"reload"};
  testing::internal::CaptureStdout();
  EXPECT_EQ(reload(1, words), ExitCode::ok);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "5 resources\n");
}

}  // namespace
}  // namespace genapp::ctl
