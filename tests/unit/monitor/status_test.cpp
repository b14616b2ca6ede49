#include "monitor/status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genapp::monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

Status example_status() {
  Status status;
  status.id = "web";
  status.command = "httpmon";
  status.pid = 4711;
  status.state = "monitoring";
  status.server = "http://localhost:80/";
  status.interval_ms = 60000;
  status.wait_ms = 10000;
  status.retries = 3;
  status.uptime_ms = 61500;
  status.checks = 12;
  status.failed = 2;
  status.skipped = 1;
  status.dropped = 4;
  status.pending_failures = 1;
  return status;
}

TEST(MonitorStatus, GoesThroughJsonAndBack) {
  Status status = example_status();
  status.last = LastCheck{false, 800, 1.5, "HTTP/1.1 500 Oh", "status 500", 83};
  status.response = ResponseMs{0.5, 0.75, 2.25, 0.5};
  status.certificate_days = -3;
  const std::string line = format_status(status);
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto back = parse_status(line);
  ASSERT_TRUE(back);
  EXPECT_EQ(format_status(*back), line);
  EXPECT_EQ(back->last->event, 83);
  EXPECT_EQ(back->certificate_days, -3);
  EXPECT_EQ(back->response->p99, 2.25);
}

TEST(MonitorStatus, LeavesOutWhatHasNoValue) {
  const std::string line = format_status(example_status());
  EXPECT_THAT(line, Not(HasSubstr("last")));
  EXPECT_THAT(line, Not(HasSubstr("response_ms")));
  EXPECT_THAT(line, Not(HasSubstr("certificate_days")));
  const auto back = parse_status(line);
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->last);
}

TEST(MonitorStatus, IsOneLineOfValidJsonWhateverTheServerSays) {
  Status status = example_status();
  status.last = LastCheck{false, 0, 0, "a\nb\xff\x1b", "c\"d\\", 82};
  const std::string line = format_status(status);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  ASSERT_TRUE(parse_status(line));
  EXPECT_EQ(parse_status(line)->last->reason, "c\"d\\");
}

TEST(MonitorStatus, WhatIsNoStatusIsNone) {
  for (const char* text :
       {"", "{}", "[]", "error: no\n", "{\"id\":1,\"state\":\"x\"}",
        "{\"id\":\"a\",\"state\":\"x\",\"pid\":\"y\"}",
        "{\"id\":\"a\",\"state\":\"x\",\"pid\":99999999999}",
        "{\"id\":\"a\",\"state\":\"x\",\"last\":[]}",
        "{\"id\":\"a\",\"state\":\"x\",\"last\":{\"took_ms\":1e999}}", "{\"id\":\"a\""}) {
    EXPECT_FALSE(parse_status(text)) << text;
  }
  EXPECT_TRUE(parse_status("{\"id\":\"a\",\"state\":\"x\",\"new\":[1]}"));
}

TEST(MonitorStatus, DisplaysALineForEachThing) {
  Status status = example_status();
  EXPECT_THAT(disp_text(status), HasSubstr("last:         no check has ended yet\n"));
  status.last = LastCheck{true, 800, 1.5, "HTTP/1.1 200 OK", "", {}};
  status.response = ResponseMs{0.5, 0.75, 12.25, 0.5};
  status.certificate_days = 63;
  const std::string text = disp_text(status);
  EXPECT_THAT(text, HasSubstr("id:           web\n"));
  EXPECT_THAT(text, HasSubstr("command:      httpmon\n"));
  EXPECT_THAT(text, HasSubstr("pid:          4711\n"));
  EXPECT_THAT(text, HasSubstr("state:        monitoring\n"));
  EXPECT_THAT(text, HasSubstr("server:       http://localhost:80/\n"));
  EXPECT_THAT(text, HasSubstr("last:         ok, 0.8 s ago, in 1.50 ms: HTTP/1.1 200 OK\n"));
  EXPECT_THAT(text, HasSubstr("failures:     1 of 4\n"));
  EXPECT_THAT(text, HasSubstr("checks:       12, failed 2, skipped 1, dropped 4\n"));
  EXPECT_THAT(text, HasSubstr("response:     min 0.50 ms, p50 0.75, p99 12.2, last 0.50\n"));
  EXPECT_THAT(text, HasSubstr("certificate:  63 days left\n"));
  EXPECT_THAT(text, HasSubstr("interval:     60 s, waits 10 s for an answer\n"));
  EXPECT_THAT(text, HasSubstr("running for:  61 s\n"));
  status.last = LastCheck{false, 1200, 1.5, "", "refused", 72};
  EXPECT_THAT(disp_text(status),
              HasSubstr("last:         failed, 1.2 s ago: refused (event 72)\n"));
}

TEST(MonitorStatus, ListsAllInATable) {
  Status dead;
  dead.id = "longeridentifier";
  dead.command = "-";
  dead.state = "dead";
  EXPECT_EQ(list_text({}), "ID  COMMAND  PID  STATE  SERVER\n");
  EXPECT_EQ(list_text({example_status(), dead}),
            "ID                COMMAND  PID   STATE       SERVER\n"
            "web               httpmon  4711  monitoring  http://localhost:80/\n"
            "longeridentifier  -        -     dead        -\n");
  EXPECT_EQ(list_json({}), "[]\n");
  EXPECT_THAT(list_json({example_status(), dead}),
              HasSubstr(",{\"id\":\"longeridentifier\",\"state\":\"dead\"}]\n"))
      << "nobody is to take 0 for its pid or for its figures";
  Status hung = dead;
  hung.state = "hung";
  hung.command = "smtpmon";
  hung.pid = 4712;
  EXPECT_EQ(list_json({hung}),
            "[{\"id\":\"longeridentifier\",\"command\":\"smtpmon\",\"pid\":4712,"
            "\"state\":\"hung\"}]\n");
}

}  // namespace
}  // namespace genapp::monitor
