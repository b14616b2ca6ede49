// What the agent answers, read and shown: ctl/agent_status.hpp, ctl/agent_view.hpp and the agent's
// part of ctl/status_view.hpp.

#include "ctl/agent_status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "ctl/agent_view.hpp"
#include "ctl/status_view.hpp"
#include "tests/unit/common/testing.hpp"

namespace genapp::ctl {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;
using tests::error_of;

constexpr char kAgentAnswer[] = R"({"ok":true,"status":{"version":1,
  "agent":{"version":"0.1.0","pid":4711,"since":"2026-11-25T08:15:02.123Z"},
  "groups":[{"name":"web","standby":false,"falling_over":false},
            {"name":"spare","standby":true,"falling_over":false}],
  "resources":[
   {"tag":"db","id":"db1","type":"script","group":"web","critical":true,"depends_on":[],
    "state":"Online","faulted":false,"fault":null,"suspended":true,"wanted":true,
    "running":null,"waiting":null,"goal":null,"since":"2026-11-25T08:15:02.123Z",
    "last_reason":"","counts":{},
    "monitors":[{"name":"http","kind":"http","mode":"both","state":"failed","restarts":1,
                 "reason":"refused"},
                {"name":"proc","kind":"process","mode":"both","state":"watching","restarts":0,
                 "reason":""}]},
   {"tag":"lb","id":"lb1","type":"lbhc","group":"spare","critical":false,"depends_on":["db"],
    "state":"GoingOnlineWait","faulted":true,"fault":"start: exit code 3","suspended":false,
    "wanted":false,"running":"monitor","waiting":null,"goal":"online",
    "since":"2026-11-25T08:15:02.123Z","last_reason":"no probe","counts":{},"monitors":[]}]}})";

Observed observed_script(const std::string& tag) {
  Observed seen;
  seen.tag = tag;
  seen.id = tag + "1";
  seen.type = "script";
  return seen;
}

std::string edited_answer(const std::string& from, const std::string& to) {
  std::string text = kAgentAnswer;
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(AgentStatus, IsReadWholly) {
  const AgentStatus status = parse_agent_status(kAgentAnswer);
  EXPECT_EQ(status.version, "0.1.0");
  EXPECT_EQ(status.pid, 4711);
  EXPECT_TRUE(status.groups.at("spare").standby);
  EXPECT_FALSE(status.groups.at("web").standby);
  ASSERT_EQ(status.resources.size(), 2u);
  const AgentResource& db = status.resources.at("db");
  EXPECT_EQ(db.group, "web");
  EXPECT_EQ(db.state, "Online");
  EXPECT_TRUE(db.suspended);
  EXPECT_FALSE(db.faulted || db.goal || db.running);
  ASSERT_EQ(db.monitors.size(), 2u);
  EXPECT_EQ(db.monitors[0].name, "http");
  EXPECT_EQ(db.monitors[0].state, "failed");
  const AgentResource& lb = status.resources.at("lb");
  EXPECT_TRUE(lb.faulted);
  EXPECT_EQ(lb.fault, "start: exit code 3");
  EXPECT_EQ(lb.goal, "online");
  EXPECT_EQ(lb.running, "monitor");
  EXPECT_EQ(lb.last_reason, "no probe");
}

TEST(AgentStatus, OfALaterAgentMayHaveMore) {
  EXPECT_EQ(parse_agent_status(edited_answer("\"tag\":\"db\"", "\"more\":{},\"tag\":\"db\"")).pid,
            4711);
}

TEST(AgentStatus, ARefusalIsToldInTheAgentsWords) {
  EXPECT_EQ(error_of([] { parse_agent_status(R"({"ok":false,"error":"no\nway"})"); }), "no\\nway");
  EXPECT_EQ(error_of([] { parse_agent_text(R"({"ok":false,"error":"it is faulted"})"); }),
            "it is faulted");
}

TEST(AgentStatus, WhatIsNoAnswerIsAnError) {
  for (const std::string& answer :
       {std::string(), std::string("error: the request is too long\n"), std::string("[]"),
        std::string("{\"ok\":true}"), std::string("{\"ok\":1}"), std::string("{\"ok\":false}"),
        edited_answer("\"pid\":4711", "\"pid\":\"x\""),
        edited_answer("\"state\":\"Online\"", "\"state\":null"),
        edited_answer("\"suspended\":true,", ""), std::string(kAgentAnswer).substr(0, 500)}) {
    EXPECT_THAT(error_of([&] { parse_agent_status(answer); }),
                HasSubstr("which this genapp does not understand"))
        << answer;
  }
}

TEST(AgentEvents, AreRead) {
  const AgentEvents found = parse_agent_events(
      R"({"ok":true,"pid":4711,"events":[{"seq":16,"time":"T","severity":"warning",
          "kind":"restart","tag":"db","text":"it is restarted"}],"last":17})");
  EXPECT_EQ(found.pid, 4711);
  EXPECT_EQ(found.last, 17u);
  ASSERT_EQ(found.events.size(), 1u);
  EXPECT_EQ(found.events[0].seq, 16u);
  EXPECT_EQ(found.events[0].text, "it is restarted");
  EXPECT_EQ(json::parse(found.events[0].json).at("kind"), "restart");
  EXPECT_NE(error_of([] { parse_agent_events(R"({"ok":true,"events":[]})"); }), "");
}

TEST(AgentTable, ShowsWhatTheAgentSays) {
  EXPECT_EQ(agent_table({observed_script("db"), observed_script("lb"), observed_script("new")},
                        parse_agent_status(kAgentAnswer)),
            "genapp-agent 0.1.0, process 4711, since 2026-11-25T08:15:02.123Z\n"
            "TAG  GROUP            AGENT               GOAL    TASK     MONITORS          FAULT\n"
            "db   web              Online (suspended)  -       -        2 (failed: http)  -\n"
            "lb   spare (standby)  GoingOnlineWait     online  monitor  -                 start: "
            "exit code 3\n");
}

TEST(AgentTable, TellsThatTheLastLookCouldNotTell) {
  const auto row = [](const std::string& from, const std::string& to) {
    return agent_table({observed_script("lb")}, parse_agent_status(edited_answer(from, to)));
  };
  const std::string from = "\"no probe\"";
  for (const char* how : {"unknown", "timed out"}) {
    EXPECT_THAT(row(from, from + ",\"last_probe\":\"" + how + "\""),
                HasSubstr("GoingOnlineWait (can't tell)  "))
        << how;
  }
  for (const char* how : {"\"done\"", "\"failed\"", "null"}) {
    EXPECT_THAT(row(from, from + ",\"last_probe\":" + how), HasSubstr("GoingOnlineWait  ")) << how;
  }
  EXPECT_THAT(row("\"GoingOnlineWait\"", "\"Detached\",\"last_probe\":\"unknown\""),
              HasSubstr("Detached  "))
      << "it is not looked at any more";
}

TEST(AgentTable, WordsOfAnyLanguageStayReadable) {
  const auto status = parse_agent_status(edited_answer("exit code 3", "für web, …"));
  EXPECT_THAT(agent_table({observed_script("lb")}, status), HasSubstr("start: für web, …\n"));
}

TEST(AgentTable, NamesAGroupThatFallsOver) {
  const auto status =
      parse_agent_status(edited_answer("\"web\",\"standby\":false,\"falling_over\":false",
                                       "\"web\",\"standby\":true,\"falling_over\":true"));
  EXPECT_THAT(agent_table({observed_script("db")}, status), HasSubstr("web (falling over)"));
}

TEST(AgentTable, OfNoneThatItKnowsSaysSo) {
  EXPECT_THAT(agent_table({observed_script("new")}, parse_agent_status(kAgentAnswer)),
              testing::EndsWith("Z\nit has none of these\n"));
}

TEST(AgentTable, EscapesWhatCameFromOutside) {
  const std::string table = agent_table(
      {observed_script("lb")}, parse_agent_status(edited_answer("start: exit", "\\u001b\\n")));
  EXPECT_THAT(table, HasSubstr("\\x1b\\n"));
  EXPECT_EQ(table.find('\033'), std::string::npos);
}

TEST(StatusWithAnAgent, HasTheSameTableAndAnotherOne) {
  const std::vector<Observed> all{observed_script("db")};
  const AgentStatus agent = parse_agent_status(kAgentAnswer);
  EXPECT_EQ(status_table(all, agent), status_table(all) + "\n" + agent_table(all, agent));
}

TEST(StatusWithAnAgent, HasItsWordsInJson) {
  const AgentStatus agent = parse_agent_status(kAgentAnswer);
  const auto with =
      json::parse(status_json({observed_script("db"), observed_script("new")}, agent));
  const json::value& db = with.at("resources").at(0).at("agent");
  EXPECT_EQ(db.at("state"), "Online");
  EXPECT_EQ(db.at("monitors").at(0).at("reason"), "refused");
  EXPECT_TRUE(with.at("resources").at(1).at("agent").is_null());
  const auto without = json::parse(status_json({observed_script("db")}));
  EXPECT_TRUE(without.at("resources").at(0).at("agent").is_null());
}

}  // namespace
}  // namespace genapp::ctl
