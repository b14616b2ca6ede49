#include "lbhc/reply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::lbhc {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr common::WallClock::time_point kNow{1795335302s + 999ms};

TEST(Greeting, TcpIsTheMessageByteForByte) {
  const std::string bytes("OK \0\xff", 5);
  EXPECT_EQ(greeting(Protocol::tcp, bytes, false), bytes);
  EXPECT_EQ(greeting(Protocol::tcp, "", false), "");
}

TEST(Greeting, AnAgentAnswersOneLine) {
  EXPECT_EQ(greeting(Protocol::haproxy_agent, "", false), "up ready\n");
  EXPECT_EQ(greeting(Protocol::haproxy_agent, "75% ready", false), "75% ready\n");
  EXPECT_EQ(greeting(Protocol::haproxy_agent, "", true), "drain\n");
  EXPECT_EQ(greeting(Protocol::haproxy_agent, "up ready", true), "drain\n");
}

TEST(Greeting, HttpWaitsForTheRequest) {
  EXPECT_EQ(greeting(Protocol::http, "OK", false), "");
  EXPECT_EQ(greeting(Protocol::http, "OK", true), "");
}

TEST(HttpReplies, AreWhatWouldBeMadeNow) {
  HttpReplies replies;
  const HttpRequest get{HttpMethod::get, 11};
  const HttpRequest head{HttpMethod::head, 10};
  for (const auto now : {kNow, kNow + 1ms, kNow, kNow + 1s}) {
    for (const HttpRequest& request : {get, get, head, get}) {
      for (const bool draining : {false, false, true}) {
        EXPECT_EQ(replies.reply(request, "OK", draining, now),
                  http_reply(request, "OK", draining, now));
      }
    }
  }
}

TEST(HttpReply, IsExactlyThis) {
  EXPECT_EQ(http_reply({HttpMethod::get, 11}, "OK", false, kNow),
            "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 08:15:02 GMT\r\n"
            "Content-Type: text/plain\r\nContent-Length: 2\r\nCache-Control: no-store\r\n"
            "Connection: close\r\n\r\nOK");
}

TEST(HttpReply, SpeaksTheProbersVersion) {
  EXPECT_THAT(http_reply({HttpMethod::get, 10}, "OK", false, kNow),
              StartsWith("HTTP/1.0 200 OK\r\n"));
  EXPECT_THAT(http_reply({HttpMethod::options, 11}, "OK", false, kNow),
              StartsWith("HTTP/1.1 200 "));
}

TEST(HttpReply, OptionsAreAnsweredLikeGet) {
  EXPECT_EQ(http_reply({HttpMethod::options, 10}, "OK", false, kNow),
            http_reply({HttpMethod::get, 10}, "OK", false, kNow));
}

// RFC 9110, 9.3.2: the same header, length included, and no body.
TEST(HttpReply, HeadHasNoBody) {
  const std::string get = http_reply({HttpMethod::get, 11}, "message", false, kNow);
  const std::string head = http_reply({HttpMethod::head, 11}, "message", false, kNow);
  EXPECT_EQ(head + "message", get);
  EXPECT_THAT(head, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(http_reply({HttpMethod::head, 11}, "message", true, kNow), EndsWith("\r\n\r\n"));
}

TEST(HttpReply, AnEmptyMessageIsAnEmptyBody) {
  const std::string reply = http_reply({HttpMethod::get, 11}, "", false, kNow);
  EXPECT_THAT(reply, testing::AllOf(HasSubstr("Content-Length: 0\r\n"), EndsWith("\r\n\r\n")));
}

TEST(HttpReply, OtherMethodsGet405AndTheListOfAllowedOnes) {
  for (const bool draining : {false, true}) {
    const std::string reply = http_reply({HttpMethod::other, 11}, "OK", draining, kNow);
    EXPECT_THAT(reply, testing::AllOf(StartsWith("HTTP/1.1 405 "),
                                      HasSubstr("\r\nAllow: GET, HEAD, OPTIONS\r\n"),
                                      HasSubstr("\r\nConnection: close\r\n")));
  }
}

TEST(HttpReply, Is503WhileDraining) {
  const std::string reply = http_reply({HttpMethod::get, 11}, "OK", true, kNow);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(reply, Not(HasSubstr("OK")));
}

TEST(HttpReply, TellsEveryDateAsHttpWantsIt) {
  const auto date = [](common::WallClock::time_point when) {
    return http_reply({HttpMethod::get, 11}, "", false, when);
  };
  EXPECT_THAT(date(common::WallClock::time_point{}),
              HasSubstr("Date: Thu, 01 Jan 1970 00:00:00 GMT"));
  EXPECT_THAT(date(common::WallClock::time_point{1709208000s}),
              HasSubstr("Date: Thu, 29 Feb 2024 12:00:00 GMT"));
}

TEST(HttpRefusal, Is400Or431) {
  EXPECT_THAT(http_refusal(HttpRequestReader::Progress::bad, kNow),
              StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(http_refusal(HttpRequestReader::Progress::too_large, kNow),
              StartsWith("HTTP/1.1 431 "));
  for (const auto why :
       {HttpRequestReader::Progress::bad, HttpRequestReader::Progress::too_large}) {
    const std::string text = http_refusal(why, kNow);
    const auto body = text.substr(text.find("\r\n\r\n") + 4);
    EXPECT_THAT(text, HasSubstr("Content-Length: " + std::to_string(body.size()) + "\r\n"));
  }
}

}  // namespace
}  // namespace genapp::lbhc
