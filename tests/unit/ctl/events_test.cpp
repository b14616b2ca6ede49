#include "ctl/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/error.hpp"
#include "ctl/agent_client.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::ctl {
namespace {

using testing::ElementsAre;
using tests::error_of;

EventsArgs parse_events(std::vector<const char*> words) {
  words.insert(words.begin(), "events");
  return parse_events_args(static_cast<int>(words.size()), words.data());
}

TEST(EventsArgs, AreAllOptional) {
  const EventsArgs args = parse_events({});
  EXPECT_FALSE(args.follow || args.json);
  EXPECT_EQ(args.count, 100u);
  const EventsArgs given = parse_events({"--json", "-n", "0", "--follow"});
  EXPECT_TRUE(given.follow && given.json);
  EXPECT_EQ(given.count, 0u);
}

TEST(EventsArgs, RefuseTheRest) {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"db"},
                                             {"-n"},
                                             {"-n", "-1"},
                                             {"-n", "10001"},
                                             {"-n", "all"},
                                             {"-n", "1", "-n", "2"},
                                             {"--wat"}}) {
    try {
      parse_events(words);
      ADD_FAILURE() << "taken: " << testing::PrintToString(words);
    } catch (const common::Error& problem) {
      EXPECT_EQ(problem.exit_code(), common::ExitCode::usage) << problem.what();
    }
  }
}

TEST(EventsText, IsALineEach) {
  AgentEvents found;
  found.events.push_back({1, "T1", "info", "agent", "", "it begins", "{\"seq\":1}"});
  found.events.push_back({2, "T2", "error", "fault", "db", "exit\n\x1b[31m", "{\"seq\":2}"});
  EXPECT_EQ(events_text(found, false),
            "T1 info agent it begins\nT2 error fault db: exit\\n\\x1b[31m\n");
  EXPECT_EQ(events_text(found, true), "{\"seq\":1}\n{\"seq\":2}\n");
}

// An agent that is played, without a socket.
class Following : public testing::Test {
 protected:
  std::string answer(std::string_view request) {
    std::string events;
    for (std::uint64_t seq = 1; seq <= last_; ++seq) {
      if (seq <= after_in(request)) continue;
      events += (events.empty() ? "" : ",") + std::string("{\"seq\":") + std::to_string(seq) +
                R"(,"time":"T","severity":"info","kind":"agent","tag":null,"text":"no. )" +
                std::to_string(seq) + "\"}";
    }
    return "{\"ok\":true,\"pid\":" + std::to_string(pid_) + ",\"events\":[" + events +
           "],\"last\":" + std::to_string(last_) + "}\n";
  }
  static std::uint64_t after_in(std::string_view request) {
    return std::stoull(std::string(request.substr(7)));
  }

  bool runs_ = true;
  int pid_ = 10;
  std::uint64_t last_ = 2;
  std::vector<std::string> requests_;
  EventsFollower::Ask ask_ = [this](std::string_view request) -> std::optional<std::string> {
    requests_.emplace_back(request);
    if (!runs_) return std::nullopt;
    return answer(request);
  };
};

TEST_F(Following, GoesOnWhereItWas) {
  EventsFollower follower(EventsArgs{}, ask_);
  EXPECT_EQ(follower.look().out, "T info agent no. 1\nT info agent no. 2\n");
  EXPECT_EQ(follower.look().out, "");
  last_ = 3;
  EXPECT_EQ(follower.look().out, "T info agent no. 3\n");
  EXPECT_THAT(requests_, ElementsAre("events 0 100", "events 2 10000", "events 2 10000"));
}

TEST_F(Following, FromNowOnShowsNoneOfThoseThatThereAre) {
  EventsArgs args;
  args.count = 0;
  EventsFollower follower(args, ask_);
  requests_.clear();
  last_ = 0;
  EXPECT_EQ(follower.look().out, "");
  last_ = 1;
  EXPECT_EQ(follower.look().out, "T info agent no. 1\n");
  EXPECT_THAT(requests_, ElementsAre("events 18446744073709551615 1", "events 0 10000"));
}

TEST_F(Following, SaysOnceThatTheAgentHasGoneAndGoesOnWithTheNext) {
  EventsFollower follower(EventsArgs{}, ask_);
  follower.look();
  runs_ = false;
  EXPECT_EQ(follower.look().err, "genapp: the agent has ended: waiting for another\n");
  EXPECT_EQ(follower.look().err, "");
  runs_ = true;
  pid_ = 11;
  last_ = 4;
  const Block next = follower.look();
  EXPECT_EQ(next.err, "");
  EXPECT_EQ(next.out, "T info agent no. 3\nT info agent no. 4\n");
  runs_ = false;
  EXPECT_NE(follower.look().err, "") << "the next end is said, too";
}

// It may have been away for less than the pause.
TEST_F(Following, ANewAgentIsNoticedByItsPid) {
  EventsFollower follower(EventsArgs{}, ask_);
  follower.look();
  pid_ = 11;
  last_ = 3;
  const Block noticed = follower.look();
  EXPECT_EQ(noticed.err, "genapp: another agent has begun\n");
  EXPECT_EQ(noticed.out, "T info agent no. 3\n");
  EXPECT_EQ(follower.look().err, "");
}

TEST_F(Following, BeginsAnewWithNumbersThatDo) {
  EventsFollower follower(EventsArgs{}, ask_);
  follower.look();
  pid_ = 11;
  last_ = 1;
  follower.look();
  EXPECT_EQ(follower.look().out, "T info agent no. 1\n");
  EXPECT_EQ(follower.look().out, "");
}

TEST_F(Following, NeedsAnAgentToBeginWith) {
  runs_ = false;
  EventsFollower follower(EventsArgs{}, ask_);
  EXPECT_EQ(error_of([&] { follower.look(); }), kNoAgent);
}

}  // namespace
}  // namespace genapp::ctl
