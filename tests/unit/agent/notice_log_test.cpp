#include "agent/notice_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/temp_dir.hpp"

namespace genapp::agent {
namespace {

using namespace std::chrono_literals;
using common::WallClock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const WallClock::time_point kTime{1'700'000'000'123ms};

class NoticeLogTest : public testing::Test {
 protected:
  NoticeLog open() {
    return NoticeLog(
        common::Directory::open(folder_.path(), "folder", common::Directory::Symlink::refuse),
        [this](const std::string& text) { complaints_.push_back(text); });
  }
  static Notice notice(const std::string& text) {
    return {NoticeKind::state, Severity::info, "web", text};
  }
  static std::vector<std::uint64_t> numbers(const std::vector<NoticeLog::Entry>& entries) {
    std::vector<std::uint64_t> out;
    for (const auto& one : entries) out.push_back(one.number);
    return out;
  }
  std::string file() const { return folder_ / "events"; }

  tests::TempDir folder_;
  std::vector<std::string> complaints_;
};

TEST_F(NoticeLogTest, NumbersGoUpAndAreAskedFor) {
  NoticeLog log = open();
  EXPECT_EQ(log.last_number(), 0u);
  EXPECT_THAT(log.after(0, 10), IsEmpty());
  for (int i = 0; i < 5; ++i) log.add(notice("x"), kTime);
  EXPECT_EQ(log.last_number(), 5u);
  EXPECT_THAT(numbers(log.after(0, 10)), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(numbers(log.after(2, 2)), ElementsAre(3, 4)) << "the oldest first, none is left out";
  EXPECT_THAT(log.after(5, 10), IsEmpty());
  EXPECT_THAT(log.after(99, 10), IsEmpty());
}

TEST_F(NoticeLogTest, RemembersTheLastTwoThousand) {
  NoticeLog log = open();
  for (int i = 0; i < 2500; ++i) log.add(notice("x"), kTime);
  EXPECT_THAT(log.after(0, 9999), SizeIs(2000));
  EXPECT_EQ(log.after(0, 1).at(0).number, 501u);
}

TEST_F(NoticeLogTest, CountsBySeverity) {
  NoticeLog log = open();
  log.add({NoticeKind::fault, Severity::error, "", ""}, kTime);
  log.add({NoticeKind::fault, Severity::error, "", ""}, kTime);
  log.add({NoticeKind::fault, Severity::warning, "", ""}, kTime);
  EXPECT_THAT(log.counts(), ElementsAre(0, 1, 2));
}

TEST_F(NoticeLogTest, ALineIsJson) {
  const NoticeLog::Entry entry{
      7, kTime, {NoticeKind::fallover, Severity::warning, "web", "a \"b\"\n\xff"}};
  EXPECT_EQ(notice_json(entry),
            R"({"seq":7,"time":"2023-11-14T22:13:20.123Z","severity":"warning",)"
            R"("kind":"fallover","tag":"web","text":"a \"b\"\\n\\xff"})");
  const auto back = parse_notice(notice_json(entry));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->number, 7u);
  EXPECT_EQ(back->time, kTime);
  EXPECT_EQ(back->notice.kind, NoticeKind::fallover);
  EXPECT_EQ(back->notice.severity, Severity::warning);
  EXPECT_EQ(back->notice.text, "a \"b\"\\n\\xff");
}

TEST_F(NoticeLogTest, ATimeThatTheClockCanNotTellIsNone) {
  const auto at = [](const std::string& year) {
    return parse_notice(
        R"({"seq":1,"time":")" + year +
        R"(-11-22T08:15:02.123Z","severity":"info","kind":"state","tag":"","text":""})");
  };
  EXPECT_TRUE(at("2026"));
  for (const char* year : {"4052", "1500", "-999"}) EXPECT_FALSE(at(year)) << year;
}

TEST_F(NoticeLogTest, EveryKindAndSeverityComesBack) {
  for (int kind = 0; kind <= static_cast<int>(NoticeKind::agent); ++kind) {
    for (int severity = 0; severity < 3; ++severity) {
      const Notice told{static_cast<NoticeKind>(kind), static_cast<Severity>(severity), "", ""};
      const auto back = parse_notice(notice_json({1, kTime, told}));
      ASSERT_TRUE(back) << kind;
      EXPECT_EQ(back->notice.kind, told.kind);
      EXPECT_EQ(back->notice.severity, told.severity);
    }
  }
}

TEST_F(NoticeLogTest, TheNextAgentKnowsThemAndGoesOn) {
  open().add(notice("one"), kTime);
  open().add(notice("two"), kTime + 1s);
  NoticeLog log = open();
  log.add(notice("three"), kTime + 2s);
  const auto all = log.after(0, 10);
  EXPECT_THAT(numbers(all), ElementsAre(1, 2, 3));
  EXPECT_EQ(all[1].notice.text, "two");
  EXPECT_EQ(all[1].time, kTime + 1s);
  EXPECT_THAT(log.counts(), ElementsAre(1, 0, 0)) << "of this agent alone";
  EXPECT_THAT(complaints_, IsEmpty());
  struct stat info {};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(NoticeLogTest, LinesThatAreNoNoticesArePassedOver) {
  const std::string good = notice_json({5, kTime, notice("good")});
  const auto with = [&good](const std::string& was, const std::string& is) {
    std::string line = good;
    return line.replace(line.find(was), was.size(), is) + "\n";
  };
  tests::write_file(file(), "garbage\n\n[]\n{}\nnull\n" + std::string(3, '\0') + "\n" + good +
                                "\n" + with("\"seq\":5", "\"seq\":5") +
                                with("\"seq\":5", "\"seq\":4") + with("\"seq\":5", "\"seq\":-6") +
                                with("\"seq\":5", "\"seq\":\"6\"") +
                                with("\"seq\":5", "\"seq\":18446744073709551615") +
                                with("\"seq\":5", "\"seq\":1e300") + with("info", "loud") +
                                with("state", "nonsense") + with("2023-11-14", "2023-13-14") +
                                with("Z", "") + with("\"text\"", "\"test\"") + good.substr(0, 30));
  NoticeLog log = open();
  EXPECT_THAT(numbers(log.after(0, 10)), ElementsAre(5));
  log.add(notice("next"), kTime);
  EXPECT_THAT(numbers(open().after(0, 10)), ElementsAre(5, 6))
      << "a line that was cut off does not spoil the next";
}

TEST_F(NoticeLogTest, AtAMebibyteTheFileIsPutAside) {
  NoticeLog log = open();
  const std::string text(900, 'x');
  for (int i = 0; i < 2500; ++i) log.add(notice(text), kTime);
  EXPECT_LT(std::filesystem::file_size(file()), 1024u * 1024 + 2000);
  EXPECT_GE(std::filesystem::file_size(folder_ / "events.1"), 1024u * 1024);
  EXPECT_LT(std::filesystem::file_size(folder_ / "events.1"), 1024u * 1024 + 2000);
  const auto kept = open().after(0, 9999);
  EXPECT_EQ(kept.back().number, 2500u);
  EXPECT_GT(kept.size(), 1024u) << "both files are read";
  for (std::size_t i = 1; i < kept.size(); ++i) {
    ASSERT_EQ(kept[i].number, kept[i - 1].number + 1);
  }
}

TEST_F(NoticeLogTest, AFileThatIsTooLongIsToldAndPutAside) {
  tests::write_file(file(), std::string(3 * 1024 * 1024, '\n'));
  NoticeLog log = open();
  EXPECT_THAT(complaints_, ElementsAre(HasSubstr(file())));
  log.add(notice("x"), kTime);
  EXPECT_LT(std::filesystem::file_size(file()), 1000u);
}

TEST_F(NoticeLogTest, AFileThatCanNotBePutAsideIsToldAndDoesNotGrow) {
  // A directory in its place: nobody, root neither, can put the file there.
  std::filesystem::create_directory(folder_ / "events.1");
  tests::write_file(file(), std::string(1024 * 1024, '\n'));
  NoticeLog log = open();
  complaints_.clear();
  for (int i = 0; i < 3; ++i) log.add(notice("x"), kTime);
  EXPECT_EQ(std::filesystem::file_size(file()), 1024u * 1024);
  EXPECT_THAT(complaints_, ElementsAre(HasSubstr(folder_ / "events.1")));
  EXPECT_THAT(log.after(0, 10), SizeIs(3));
  std::filesystem::remove(folder_ / "events.1");
  log.add(notice("y"), kTime);
  EXPECT_THAT(numbers(open().after(0, 10)), ElementsAre(4)) << "it is written again when it can be";
}

TEST_F(NoticeLogTest, WhatCanNotBeWrittenIsToldOnceAndStopsNothing) {
  // A directory in its place: nobody, root neither, can write there.
  std::filesystem::create_directory(file());
  NoticeLog log = open();
  complaints_.clear();
  for (int i = 0; i < 3; ++i) log.add(notice("x"), kTime);
  EXPECT_THAT(log.after(0, 10), SizeIs(3));
  EXPECT_THAT(complaints_, SizeIs(testing::Le(1u)));
  std::filesystem::remove(file());
  log.add(notice("y"), kTime);
  EXPECT_THAT(numbers(open().after(0, 10)), ElementsAre(4)) << "it is written again when it can be";
}

TEST_F(NoticeLogTest, AFullDiskIsToldOnceAndLeavesNoHalfLine) {
  NoticeLog log = open();
  log.add(notice("first"), kTime);
  const auto size = std::filesystem::file_size(file());
  // What a full disk does: some bytes are taken, and then no more.
  struct rlimit before {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  struct rlimit small = before;
  small.rlim_cur = size + 10;
  const auto old = ::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  log.add(notice("lost"), kTime);
  log.add(notice("lost too"), kTime);
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, old);
  EXPECT_EQ(std::filesystem::file_size(file()), size);
  EXPECT_THAT(complaints_, ElementsAre(HasSubstr(file())));
  log.add(notice("kept"), kTime);
  EXPECT_THAT(numbers(open().after(0, 10)), ElementsAre(1, 4));
  EXPECT_THAT(log.after(0, 10), SizeIs(4));
}

}  // namespace
}  // namespace genapp::agent
