#include "remote/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::remote {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

template <typename Kind>
Kind request(const std::string& text) {
  return std::get<Kind>(parse_request(text).request);
}

template <typename Kind>
Kind again(const Kind& what) {
  const NumberedRequest read = parse_request(format_request({7, what}));
  EXPECT_EQ(read.ref, 7u);
  return std::get<Kind>(read.request);
}

// What is wrong with a request, and which number its refusal bears.
std::pair<std::uint64_t, std::string> problem(const std::string& text) {
  try {
    parse_request(text);
  } catch (const BadMessage& error) {
    return {error.ref, error.what()};
  }
  return {0, "none"};
}

TEST(RemoteMessage, AStartComesBackAsItWas) {
  Start start;
  start.session = common::Id("web");
  start.manager = "m-1";
  start.command = {"/bin/a", "", "two words", "ä"};
  start.environment = {{"A", "1"}, {"B", ""}};
  start.attach = false;
  start.timeout_s = 5;
  const Start read = again(start);
  EXPECT_EQ(read.session.text(), "web");
  EXPECT_EQ(read.manager, "m-1");
  EXPECT_EQ(read.command, start.command);
  EXPECT_EQ(read.environment, start.environment);
  EXPECT_FALSE(read.attach);
  EXPECT_EQ(read.timeout_s, 5);
}

TEST(RemoteMessage, AStartHasDefaults) {
  const auto start =
      request<Start>(R"({"do":"start","ref":1,"session":"s","manager":"m","command":["/a"]})");
  EXPECT_TRUE(start.attach);
  EXPECT_EQ(start.timeout_s, 30);
  EXPECT_THAT(start.environment, IsEmpty());
}

TEST(RemoteMessage, TheOtherRequestsComeBackAsTheyWere) {
  const common::Id id("s");
  const Attach attach = again(Attach{id, "m", 9});
  EXPECT_EQ(attach.manager, "m");
  EXPECT_EQ(attach.timeout_s, 9);
  const Stop stop = again(Stop{id, 3, true});
  EXPECT_EQ(stop.kill_after_s, 3);
  EXPECT_TRUE(stop.forget);
  EXPECT_EQ(again(Signal{id, "HUP"}).signal, "HUP");
  EXPECT_EQ(again(Acknowledge{id}).session.text(), "s");
  EXPECT_EQ(again(AskSession{id}).session.text(), "s");
  again(AskSessions{});
}

TEST(RemoteMessage, TakenHasNoNumber) {
  const std::string text = format_request({0, Taken{{1, 1ull << 40}}});
  EXPECT_EQ(text, R"({"do":"taken","stdout":1,"stderr":1099511627776})");
  EXPECT_EQ(request<Taken>(text).offsets, (Offsets{1, 1ull << 40}));
  EXPECT_THAT(problem(R"({"do":"taken","ref":1,"stdout":1,"stderr":1})").second,
              HasSubstr("\"ref\": unknown"));
}

TEST(RemoteMessage, WhatIsNoRequestIsRefusedWithItsNumber) {
  const std::string start = R"({"do":"start","ref":3,"session":"s","manager":"m",)";
  const std::vector<std::pair<std::string, std::pair<std::uint64_t, std::string>>> cases{
      {"", {0, "no JSON object"}},
      {"[]", {0, "no JSON object"}},
      {R"({"do":"start")", {0, "no JSON object"}},
      {"{}", {0, "\"do\": missing"}},
      {R"({"do":1,"ref":3})", {0, "\"do\": no text"}},
      {R"({"do":"sessions"})", {0, "\"ref\": missing"}},
      {R"({"do":"sessions","ref":0})", {0, "\"ref\": not a whole number from 1"}},
      {R"({"do":"sessions","ref":-1})", {0, "\"ref\": not a whole number"}},
      {R"({"do":"sessions","ref":1.5})", {0, "\"ref\": not a whole number"}},
      {R"({"do":"sessions","ref":"1"})", {0, "\"ref\": not a whole number"}},
      {R"({"do":"dance","ref":3})", {3, "\"dance\" is no request"}},
      {R"({"do":"sessions","ref":3,"x":1})", {3, "\"x\": unknown"}},
      {R"({"do":"session","ref":3})", {3, "\"session\": missing"}},
      {R"({"do":"session","ref":3,"session":"../x"})", {3, "is not of the form"}},
      {R"({"do":"session","ref":3,"session":""})", {3, "is not of the form"}},
      {start + R"("command":"a b"})", {3, "\"command\": no list"}},
      {start + R"("command":[]})", {3, "\"command\": empty"}},
      {start + R"("command":[1]})", {3, "\"command\": no text"}},
      {start + R"("command":["a\u0000b"]})", {3, "\"command\": holds a zero byte"}},
      {start + R"("command":["a"],"environment":[]})", {3, "\"environment\": no object"}},
      {start + R"("command":["a"],"environment":{"A=B":""}})", {3, "can be no variable's name"}},
      {start + R"("command":["a"],"environment":{"":""}})", {3, "can be no variable's name"}},
      {start + R"("command":["a"],"environment":{"A":1}})", {3, "\"environment\": no text"}},
      {start + R"("command":["a"],"attach":1})", {3, "\"attach\": neither"}},
      {start + R"("command":["a"],"timeout":0})", {3, "\"timeout\": not a whole number from 1"}},
      {start + R"("command":["a"],"timeout":3601})", {3, "\"timeout\": not a whole number"}},
      {R"({"do":"attach","ref":3,"session":"s","manager":""})", {3, "not 1 to 64 printable"}},
      {R"({"do":"attach","ref":3,"session":"s","manager":"a b"})", {3, "not 1 to 64 printable"}},
      {R"({"do":"stop","ref":3,"session":"s","kill_after":-1})",
       {3, "\"kill_after\": not a whole"}},
      {R"({"do":"taken","stdout":-1,"stderr":0})", {0, "\"stdout\": not a whole number"}},
  };
  for (const auto& [text, expected] : cases) {
    const auto [ref, what] = problem(text);
    EXPECT_EQ(ref, expected.first) << text;
    EXPECT_THAT(what, HasSubstr(expected.second)) << text;
  }
  EXPECT_THAT(problem(std::string(kMostMessageBytes + 1, ' ')).second, HasSubstr("longer than"));
  EXPECT_THAT(problem(std::string(1000, '[')).second, HasSubstr("no JSON object"));
}

SessionView view() {
  SessionView view;
  view.session = "s";
  view.pid = 12;
  view.command = {"/bin/a", "b"};
  view.user = "www";
  view.certificate = "host1";
  view.attached = true;
  view.started = 1'700'000'000;
  view.dropped = 5;
  return view;
}

TEST(RemoteMessage, AReplyComesBackAsItWas) {
  Reply reply;
  reply.ref = 4;
  reply.session = view();
  reply.started = true;
  const auto read = std::get<Reply>(parse_answer(format_answer(reply)));
  EXPECT_EQ(read.ref, 4u);
  EXPECT_FALSE(read.refusal);
  EXPECT_TRUE(read.started);
  ASSERT_TRUE(read.session);
  EXPECT_EQ(read.session->session, "s");
  EXPECT_EQ(read.session->state, SessionState::running);
  EXPECT_EQ(read.session->pid, 12);
  EXPECT_THAT(read.session->command, ElementsAre("/bin/a", "b"));
  EXPECT_EQ(read.session->user, "www");
  EXPECT_EQ(read.session->certificate, "host1");
  EXPECT_TRUE(read.session->attached);
  EXPECT_EQ(read.session->started, 1'700'000'000);
  EXPECT_EQ(read.session->dropped, 5u);
}

TEST(RemoteMessage, EachWayToEndComesBackAsItWas) {
  for (const SessionEnd& end :
       {SessionEnd(), SessionEnd({false, 3}), SessionEnd({false, 0}), SessionEnd({true, 9})}) {
    Reply reply;
    reply.session = view();
    reply.session->state = SessionState::ended;
    reply.session->end = end;
    EXPECT_EQ(std::get<Reply>(parse_answer(format_answer(reply))).session->end, end);
    EXPECT_EQ(std::get<Ended>(parse_answer(format_answer(Ended{"s", end}))).end, end);
  }
}

TEST(RemoteMessage, ARefusalComesBackAsItWas) {
  for (const Refusal refusal :
       {Refusal::bad_request, Refusal::denied, Refusal::unknown_session, Refusal::busy,
        Refusal::other_command, Refusal::could_not_start, Refusal::limit, Refusal::not_running,
        Refusal::not_ended, Refusal::failed}) {
    Reply reply;
    reply.ref = 2;
    reply.refusal = refusal;
    reply.text = "why\xff";
    const auto read = std::get<Reply>(parse_answer(format_answer(reply)));
    EXPECT_EQ(read.refusal, refusal);
    EXPECT_EQ(read.text, "why\\xff");
  }
  // A newer server's.
  EXPECT_EQ(std::get<Reply>(parse_answer(R"({"ref":1,"ok":false,"error":"new"})")).refusal,
            Refusal::failed);
}

TEST(RemoteMessage, AListMayBeLongerThanARequest) {
  Reply reply;
  reply.ref = 1;
  reply.sessions.assign(1000, view());
  const std::string text = format_answer(reply);
  EXPECT_GT(text.size(), kMostMessageBytes);
  EXPECT_EQ(std::get<Reply>(parse_answer(text)).sessions.size(), 1000u);
}

TEST(RemoteMessage, EventsComeBackAsTheyWere) {
  const auto hello = std::get<Hello>(parse_answer(format_answer(Hello{1, "genapp 1", "host1"})));
  EXPECT_EQ(hello.version, 1);
  EXPECT_EQ(hello.program, "genapp 1");
  EXPECT_EQ(hello.certificate, "host1");
  const auto end = std::get<OutputEnd>(parse_answer(format_answer(OutputEnd{"s", {5, 6}})));
  EXPECT_EQ(end.session, "s");
  EXPECT_EQ(end.offsets, (Offsets{5, 6}));
}

TEST(RemoteMessage, WhatIsNoAnswerIsTold) {
  for (const char* const text :
       {"", "[]", "{}", R"({"ref":1})", R"({"ref":1,"ok":1})", R"({"ref":1,"ok":true,"session":1})",
        R"({"event":"dance"})", R"({"event":"ended","session":"s","end":{}})",
        R"({"event":"ended","session":"s","end":{"code":256}})",
        R"({"event":"output-end","session":"s","stdout":1})"}) {
    EXPECT_THROW(parse_answer(text), BadMessage) << text;
  }
}

TEST(RemoteMessage, UnknownKeysOfTheServersArePassedOver) {
  EXPECT_EQ(std::get<Hello>(
                parse_answer(
                    R"({"event":"hello","version":1,"program":"p","certificate":"c","new":[1]})"))
                .program,
            "p");
}

}  // namespace
}  // namespace genapp::remote
