#include "monitor/events.hpp"

#include <errno.h>
#include <gtest/gtest.h>

#include <set>

namespace genapp::monitor {
namespace {

TEST(Events, TheSeedsNumbersAreThere) {
  std::set<int> numbers;
  for (const EventRow& row : event_rows()) numbers.insert(static_cast<int>(row.event));
  for (const int number : {1, 2, 3, 6, 7, 8, 11, 13, 14, 15, 42, 71, 72, 73, 74, 75, 81, 82, 83}) {
    EXPECT_TRUE(numbers.count(number)) << number;
  }
  EXPECT_EQ(numbers.size(), event_rows().size());
}

TEST(Events, ARowIsFoundByItsEvent) {
  for (const EventRow& row : event_rows()) EXPECT_EQ(&event_row(row.event), &row);
}

TEST(Events, TextsHaveTheirPlacesFilled) {
  EXPECT_EQ(event_text(Event::connect_error, Protocol::http, ECONNREFUSED),
            "httpmon has detected network error(connect error[111]).");
  EXPECT_EQ(event_text(Event::invalid_status, Protocol::http, 404),
            "httpmon has detected an error in HTTP(invalid status code[404]).");
  EXPECT_EQ(event_text(Event::started, Protocol::smtp),
            "smtpmon started monitoring the SMTP daemon.");
  EXPECT_EQ(event_text(Event::system_error, Protocol::smtp, 24, "socket"),
            "smtpmon has detected system error (socket 24).");
}

TEST(Events, NoPlaceIsLeftOpenAndNoTextEmpty) {
  for (const EventRow& row : event_rows()) {
    const std::string text = event_text(row.event, Protocol::smtp, 7, "poll");
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.find('%'), std::string::npos) << text;
  }
}

TEST(Events, SeveritiesTellWhatIsWrong) {
  using common::log::Level;
  EXPECT_EQ(event_row(Event::started).severity, Level::info);
  EXPECT_EQ(event_row(Event::answers_again).severity, Level::info);
  EXPECT_EQ(event_row(Event::select_error).severity, Level::warn);
  EXPECT_EQ(event_row(Event::judged_failed).severity, Level::error);
  EXPECT_EQ(event_row(Event::system_error).severity, Level::error);
}

TEST(Events, AnErrnoHasItsNameAndWords) {
  EXPECT_EQ(errno_words(ECONNREFUSED), "ECONNREFUSED (Connection refused)");
  EXPECT_EQ(errno_name(ETIMEDOUT), "ETIMEDOUT");
}

TEST(Events, AnUnknownErrnoIsANumber) {
  EXPECT_EQ(errno_name(9999), "");
  EXPECT_TRUE(errno_words(9999).starts_with("error 9999 (")) << errno_words(9999);
}

}  // namespace
}  // namespace genapp::monitor
