#include "monitor/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace genapp::monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

const common::WallClock::time_point kNow{std::chrono::milliseconds(1'500'000'000'123)};

TEST(Report, IsTheSeedsTextWithTheIdAndTheReason) {
  EXPECT_EQ(
      report_line(Protocol::http, "web", {Event::connect_error, "refused", ECONNREFUSED, true}),
      "httpmon has detected network error(connect error[111]). [ID:web]: refused");
  EXPECT_EQ(report_line(Protocol::smtp, "mail", {Event::started}),
            "smtpmon started monitoring the SMTP daemon. [ID:mail]");
  EXPECT_EQ(
      report_line(Protocol::http, "web", {Event::system_error, "no room", ENOSPC, true, "write"}),
      "httpmon has detected system error (write 28). [ID:web]: no room");
}

TEST(Report, IsOneObjectALineInJson) {
  EXPECT_EQ(report_json(Protocol::http, "web",
                        {Event::connect_error, "refused", ECONNREFUSED, true}, kNow),
            "{\"time\":\"2017-07-14T02:40:00.123Z\",\"event\":72,\"severity\":\"warning\","
            "\"command\":\"httpmon\",\"id\":\"web\",\"text\":\"httpmon has detected network "
            "error(connect error[111]).\",\"reason\":\"refused\",\"errno\":111,"
            "\"errno_name\":\"ECONNREFUSED\"}\n");
  const std::string status =
      report_json(Protocol::smtp, "mail", {Event::invalid_status, "x", 554}, kNow);
  EXPECT_THAT(status, HasSubstr("\"code\":554"));
  EXPECT_THAT(status, Not(HasSubstr("errno")));
  EXPECT_THAT(report_json(Protocol::http, "web", {Event::paused}, kNow), Not(HasSubstr("reason")));
  EXPECT_THAT(
      report_json(Protocol::http, "web", {Event::system_error, "x", 0, true, "start"}, kNow),
      Not(HasSubstr("errno")))
      << "a trouble that no system call has told of";
}

TEST(Report, JsonStaysALineWhateverTheServerSays) {
  const std::string line =
      report_json(Protocol::http, "web", {Event::invalid_response, "a\nb\xff\"", 0}, kNow);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_THAT(line, HasSubstr("\\\""));
}

TEST(Report, TellsWhatOneCheckFound) {
  Settings settings;
  CheckResult result;
  result.took = std::chrono::milliseconds(2);
  result.seen = "HTTP/1.1 200 OK";
  result.address = "127.0.0.1:80";
  EXPECT_EQ(once_json(settings, result),
            "{\"ok\":true,\"server\":\"http://localhost:80/\",\"address\":\"127.0.0.1:80\","
            "\"took_ms\":2E0,\"seen\":\"HTTP/1.1 200 OK\"}\n");
  result.fault = Fault{Event::invalid_status, 500, "status 500", false};
  result.certificate_days = 3;
  const std::string failed = once_json(settings, result);
  EXPECT_THAT(failed, HasSubstr("\"ok\":false"));
  EXPECT_THAT(failed, HasSubstr("\"event\":83,\"reason\":\"status 500\",\"timed_out\":false,"
                                "\"code\":500,\"certificate_days\":3"));
}

}  // namespace
}  // namespace genapp::monitor
