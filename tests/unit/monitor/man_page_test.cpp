// The two manual pages list every event, as the table has it and no other. (What --help prints is
// compared with them in tests/cli/monitor_help_test.cpp.)

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "monitor/events.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::monitor {
namespace {

using common::log::Level;

std::string page_of(Protocol protocol) {
  return tests::read_file(GENAPP_SOURCE_DIR "/docs/man/" + std::string(command_name(protocol)) +
                          ".8");
}

std::string severity(Level level) {
  if (level == Level::error) return "error";
  return level == Level::warn ? "warning" : "info";
}

// With a page's placeholders in the places of the table's.
std::string text_in_page(const EventRow& row, Protocol protocol) {
  std::string text;
  for (std::size_t i = 0; i < row.text.size(); ++i) {
    if (row.text[i] != '%') {
      text += row.text[i];
      continue;
    }
    switch (row.text[++i]) {
      case 'c':
        text += command_name(protocol);
        break;
      case 'p':
        text += protocol_name(protocol);
        break;
      case 'n':
        text += "nn";
        break;
      case 'f':
        text += "xxx";
        break;
      default:
        ADD_FAILURE() << "a place of the text that is not known here: " << row.text;
    }
  }
  return text;
}

class ManPage : public testing::TestWithParam<Protocol> {};

TEST_P(ManPage, HasEveryEventWithNumberSeverityTextAndAnExplanation) {
  const std::string page = page_of(GetParam());
  for (const EventRow& row : event_rows()) {
    const std::string item = "\n.It " + std::to_string(static_cast<int>(row.event)) + " " +
                             severity(row.severity) + "\n.Bf -emphasis\n" +
                             text_in_page(row, GetParam()) + "\n.Ef\n.br\n";
    const auto found = page.find(item);
    ASSERT_NE(found, std::string::npos) << item;
    EXPECT_NE(page.substr(found + item.size(), 3), ".It") << item << "and then nothing";
  }
}

TEST_P(ManPage, HasThemInTheirOrderAndNoOther) {
  std::vector<int> expected;
  for (const EventRow& row : event_rows()) expected.push_back(static_cast<int>(row.event));
  std::istringstream page(page_of(GetParam()));
  std::vector<int> listed;
  for (std::string line; std::getline(page, line);) {
    std::istringstream words(line);
    std::string macro, severity;
    int number = 0;
    const bool item = static_cast<bool>(words >> macro >> number >> severity);
    if (item && macro == ".It" && !severity.empty()) listed.push_back(number);
  }
  EXPECT_EQ(listed, expected);
}

INSTANTIATE_TEST_SUITE_P(Both, ManPage, testing::Values(Protocol::http, Protocol::smtp),
                         [](const auto& which) { return std::string(command_name(which.param)); });

}  // namespace
}  // namespace genapp::monitor
