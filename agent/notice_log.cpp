#include "agent/notice_log.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"

namespace genapp::agent {
namespace {

namespace json = boost::json;
using common::WallClock;

// At this size the file is put aside, so the two of them hold more than the notices remembered.
constexpr std::size_t kMostFileBytes = 1024 * 1024;
constexpr std::size_t kMostTextBytes = 1000;
// Beyond it a number would not be exact in the page's JavaScript.
constexpr std::uint64_t kMostNumber = std::uint64_t{1} << 53;

const std::string kEvents = common::paths::kAgentEvents;
const std::string kOlderEvents = kEvents + ".1";

// The value of an enumeration with that name, of the first `count`.
template <typename Enum>
std::optional<Enum> named(std::string_view name, int count) {
  for (int i = 0; i < count; ++i) {
    if (name_of(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

// utc_text() read back.
std::optional<WallClock::time_point> parse_utc(const std::string& text) {
  int year, hour, minute, second, millis, end = 0;
  unsigned month, day;
  if (::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour, &minute,
               &second, &millis, &end) != 7 ||
      static_cast<std::size_t>(end) != text.size()) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  // The clock's own time ends in 2262.
  if (!date.ok() || year < 1970 || year > 2200) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + std::chrono::milliseconds(millis);
}

// Throws when a key is missing or of another kind.
std::optional<NoticeLog::Entry> to_entry(const json::object& from) {
  const auto text = [&](const char* key) { return std::string(from.at(key).as_string()); };
  NoticeLog::Entry entry;
  entry.number = from.at("seq").to_number<std::uint64_t>();
  const auto time = parse_utc(text("time"));
  const auto severity = named<Severity>(text("severity"), 3);
  const auto kind = named<NoticeKind>(text("kind"), static_cast<int>(NoticeKind::agent) + 1);
  if (entry.number >= kMostNumber || !time || !severity || !kind) return std::nullopt;
  entry.time = *time;
  entry.notice = {*kind, *severity, text("tag"), text("text")};
  return entry;
}

// An agent that was ended in the midst of a line has left its beginning, which would spoil ours.
void end_line(int file, std::size_t& size) {
  char last = 0;
  if (size == 0 || ::pread(file, &last, 1, static_cast<off_t>(size - 1)) != 1) return;
  if (last != '\n' && ::write(file, "\n", 1) == 1) ++size;
}

}  // namespace

std::string notice_json(const NoticeLog::Entry& entry) {
  return json::serialize(
      json::object{{"seq", entry.number},
                   {"time", common::utc_text(entry.time)},
                   {"severity", name_of(entry.notice.severity)},
                   {"kind", name_of(entry.notice.kind)},
                   {"tag", common::printable_utf8(entry.notice.tag, kMostTextBytes)},
                   {"text", common::printable_utf8(entry.notice.text, kMostTextBytes)}});
}

std::optional<NoticeLog::Entry> parse_notice(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return std::nullopt;
  try {
    return to_entry(value.get_object());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

NoticeLog::NoticeLog(common::Directory directory, std::function<void(const std::string&)> complain)
    : directory_(std::move(directory)), complain_(std::move(complain)) {
  read(kOlderEvents);
  read(kEvents);
  complained_ = false;  // that it can't be written is another trouble
}

void NoticeLog::read(const std::string& name) try {
  // One line may have been written beyond the limit.
  const auto text = directory_.read(name, kMostFileBytes + 64 * 1024);
  if (!text) return;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto entry = parse_notice(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (entry && entry->number > last_) remember(std::move(*entry));
  }
} catch (const common::Error& problem) {
  complain_once(std::string("what the agent told before is not known: ") + problem.what());
}

void NoticeLog::remember(Entry entry) {
  last_ = entry.number;
  entries_.push_back(std::move(entry));
  if (entries_.size() > kMost) entries_.pop_front();
}

const NoticeLog::Entry& NoticeLog::add(const Notice& notice, WallClock::time_point now) {
  ++counts_.at(static_cast<std::size_t>(notice.severity));
  remember({last_ + 1, now, notice});
  append(notice_json(entries_.back()) + "\n");
  return entries_.back();
}

std::vector<NoticeLog::Entry> NoticeLog::after(std::uint64_t number, std::size_t most) const {
  const auto first =
      std::partition_point(entries_.begin(), entries_.end(),
                           [number](const Entry& one) { return one.number <= number; });
  const auto count = std::min(most, static_cast<std::size_t>(entries_.end() - first));
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

void NoticeLog::append(const std::string& line) {
  if (!file_ || size_ >= kMostFileBytes) open();
  if (!file_) return;
  const ssize_t written = ::write(file_.get(), line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) {
    size_ += line.size();
    complained_ = false;
    return;
  }
  const int error = written < 0 ? errno : ENOSPC;
  // A line's beginning would spoil the next one.
  if (written > 0 && ::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) file_.close();
  complain_once("events are not kept for the next agent: " + directory_.full(kEvents) + ": " +
                common::errno_text(error));
}

void NoticeLog::open() {
  const auto open_file = [this] {
    file_ = common::Fd(::openat(directory_.fd(), kEvents.c_str(),
                                O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                                0600));
    struct stat info {};
    if (file_ && ::fstat(file_.get(), &info) == 0) size_ = static_cast<std::size_t>(info.st_size);
    if (file_) end_line(file_.get(), size_);
  };
  const auto complain = [this](const std::string& file, int error) {
    complain_once("events are not kept for the next agent: " + directory_.full(file) + ": " +
                  common::errno_text(error));
  };
  open_file();
  if (file_ && size_ >= kMostFileBytes) {
    if (::renameat(directory_.fd(), kEvents.c_str(), directory_.fd(), kOlderEvents.c_str()) != 0) {
      // It would grow for ever.
      const int error = errno;
      file_.close();
      return complain(kOlderEvents, error);
    }
    open_file();
  }
  if (!file_) complain(kEvents, errno);
}

void NoticeLog::complain_once(const std::string& text) {
  if (!std::exchange(complained_, true)) complain_(text);
}

}  // namespace genapp::agent
