// What httpmon and smtpmon say of themselves, and what their manual pages say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "tests/support/node.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {
namespace {

using testing::HasSubstr;
using testing::IsSupersetOf;

constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz-";

// Each --word.
std::set<std::string> long_options(const std::string& text) {
  std::set<std::string> options;
  for (auto at = text.find("--"); at != std::string::npos; at = text.find("--", at + 1)) {
    const auto end = text.find_first_not_of(kLetters, at);
    const std::string option = text.substr(at, end - at);
    const bool begins = at == 0 || std::string(" [|(\n").find(text[at - 1]) != std::string::npos;
    if (begins && option.size() > 2) options.insert(option);
  }
  return options;
}

// Each that has an item of a list: ".It Ar ID Fl -stop Op Ar WAIT", ".It Fl -help , Fl -version".
std::set<std::string> described_options(const std::string& page) {
  std::set<std::string> options;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(".It ")) continue;
    std::istringstream words(line);
    for (std::string word, before; words >> word; before = word) {
      const bool option = word.size() > 1 && word[0] == '-' &&
                          word.find_first_not_of(kLetters) == std::string::npos;
      if (option && (before == "Fl" || before == ",")) options.insert("-" + word);
    }
  }
  return options;
}

class MonitorHelp : public testing::TestWithParam<std::string> {
 protected:
  std::string help() const {
    const Result result = node_.run({GetParam(), "--help"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
  std::string page() const { return read_file(GENAPP_SOURCE_DIR "/docs/man/" + GetParam() + ".8"); }

 private:
  Node node_;
};

TEST_P(MonitorHelp, HasTheLongOptionsThatTheManPageDescribesAndNoOther) {
  const std::set<std::string> told = long_options(help());
  EXPECT_THAT(told, IsSupersetOf({"--stop", "--rise", "--cafile", "--list", "--help"}));
  EXPECT_EQ(told, described_options(page()));
}

TEST_P(MonitorHelp, HasTheShortOptionsOfTheSeed) {
  const std::string text = help();
  for (const char* option : {"-s", "-n", "-i", "-c", "-r"}) {
    EXPECT_THAT(text, HasSubstr(option));
    EXPECT_THAT(page(), HasSubstr(std::string("\n.It Fl ") + option[1] + " Ar "));
  }
}

INSTANTIATE_TEST_SUITE_P(Both, MonitorHelp, testing::Values("httpmon", "smtpmon"),
                         [](const auto& which) { return std::string(which.param); });

}  // namespace
}  // namespace genapp::tests
