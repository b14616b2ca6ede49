#include "remote/appmgr/view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::remote {
namespace {

using common::Ending;
using testing::HasSubstr;
using testing::Not;

SessionView running_view() {
  SessionView view;
  view.session = "web";
  view.pid = 4711;
  view.command = {"/usr/sbin/httpd", "-f", "", "a b", "it's"};
  view.user = "www";
  view.certificate = "host1";
  view.attached = true;
  view.started = 1764000000;
  return view;
}

TEST(AppmgrView, TellsASession) {
  EXPECT_EQ(session_text(running_view()),
            "session: web\nstate: running\npid: 4711\n"
            "command: /usr/sbin/httpd -f \"\" \"a b\" \"it's\"\n"
            "user: www\nstarted: 2025-11-24T16:00:00.000Z by host1\nmanager: attached\n");
}

TEST(AppmgrView, TellsAnEnd) {
  SessionView view = running_view();
  view.state = SessionState::ended;
  view.dropped = 12;
  EXPECT_THAT(session_text(view), HasSubstr("state: ended: nobody saw how\n"));
  EXPECT_THAT(session_text(view), HasSubstr("output lost: 12 bytes\n"));
  EXPECT_THAT(session_json(view), HasSubstr(R"("end":{"unknown":true},"exit_code":249)"));
  view.end = Ending{false, 3};
  EXPECT_THAT(session_text(view), HasSubstr("state: ended: exit code 3\n"));
  EXPECT_THAT(session_json(view), HasSubstr(R"("end":{"code":3},"exit_code":3)"));
}

TEST(AppmgrView, JsonHasTheProtocolsKeys) {
  EXPECT_EQ(session_json(running_view()),
            R"({"session":"web","state":"running","pid":4711,"command":["/usr/sbin/httpd","-f","",)"
            R"("a b","it's"],"user":"www","certificate":"host1","attached":true,)"
            R"("started":1764000000,"dropped":0})"
            "\n");
}

// The server may be anybody's.
TEST(AppmgrView, WhatATerminalWouldObeyIsShownAsWhatItIs) {
  SessionView view = running_view();
  view.command = {"/bin/\x1b[31m", "\x07"};
  view.user = "\x1b]0;x";
  view.certificate = "a\nb";
  const std::string text = session_text(view) + sessions_table({view});
  EXPECT_THAT(text, Not(testing::ContainsRegex("[\x07\x1b]")));
  EXPECT_THAT(text, Not(HasSubstr("a\nb")));
}

TEST(AppmgrView, ATimeThatNoClockHasIsShownAsANumber) {
  SessionView view = running_view();
  for (const std::int64_t odd : {INT64_MIN, std::int64_t{-1}, INT64_MAX}) {
    view.started = odd;
    EXPECT_THAT(session_text(view), HasSubstr("started: " + std::to_string(odd) + " by"));
  }
}

TEST(AppmgrView, TheTableHasALineForEach) {
  SessionView other = running_view();
  other.session = "a-longer-name";
  other.attached = false;
  EXPECT_EQ(sessions_table({}), "SESSION  STATE  PID  USER  MANAGER  COMMAND\n");
  const std::string table = sessions_table({running_view(), other});
  EXPECT_THAT(table, HasSubstr("\nweb            running  4711  www   attached  /usr/sbin/httpd"));
  EXPECT_THAT(table, HasSubstr("\na-longer-name  running  4711  www   none      /usr/sbin/httpd"));
}

}  // namespace
}  // namespace genapp::remote
