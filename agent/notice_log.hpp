#pragma once

// The last notices, numbered: for `genapp events` and the status page. They are kept in
// RUN_DIR/agent/events too, a line of JSON each, so that an agent that is started anew still knows
// what happened, and goes on with the numbers.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/metrics_text.hpp"
#include "agent/notice.hpp"
#include "common/clock.hpp"
#include "common/directory.hpp"

namespace genapp::agent {

class NoticeLog {
 public:
  static constexpr std::size_t kMost = 2000;

  struct Entry {
    std::uint64_t number = 0;  // from 1 on, each one more than the one before
    common::WallClock::time_point time{};
    Notice notice{};
  };

  // Reads what earlier agents have kept in `directory`; lines that are no notices are passed over.
  // `complain` is told, in a line, that the file can't be read or written: once, until it can.
  // Nothing throws.
  NoticeLog(common::Directory directory, std::function<void(const std::string&)> complain);

  // Appends to the file, which is small and, in a run directory, in memory. The reference is valid
  // until the next one is added.
  const Entry& add(const Notice& notice, common::WallClock::time_point now);

  // Those with a higher number, oldest first, at most `most` of them.
  std::vector<Entry> after(std::uint64_t number, std::size_t most) const;
  std::uint64_t last_number() const { return last_; }  // 0: there was none yet
  const NoticeCounts& counts() const { return counts_; }

 private:
  void read(const std::string& name);
  void remember(Entry entry);
  void append(const std::string& line);
  void open();
  void complain_once(const std::string& text);

  common::Directory directory_;
  std::function<void(const std::string&)> complain_;
  bool complained_ = false;
  common::Fd file_{};
  std::size_t size_ = 0;  // of the file, in bytes
  std::deque<Entry> entries_{};
  std::uint64_t last_ = 0;
  NoticeCounts counts_{};
};

// {"seq":1,"time":"2026-11-22T08:15:02.123Z","severity":"info","kind":"state","tag":"web",
// "text":"…"}, without an end of line.
std::string notice_json(const NoticeLog::Entry& entry);
// Nothing when the text is none.
std::optional<NoticeLog::Entry> parse_notice(std::string_view text);

}  // namespace genapp::agent
