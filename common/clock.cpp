#include "common/clock.hpp"

#include <stdio.h>
#include <time.h>

namespace genapp::common {

BootClock::time_point BootClock::now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return time_point(std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

std::string utc_text(WallClock::time_point when) {
  // gmtime_r would read /etc/localtime first, eight system calls for nothing.
  const auto time = std::chrono::floor<std::chrono::milliseconds>(when);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[64];
  const int length = ::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return std::string(text, static_cast<std::size_t>(length));
}

std::string seconds_text(Clock::duration length) {
  const auto millis = std::chrono::round<std::chrono::milliseconds>(length).count();
  char text[48];
  ::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(millis / 1000),
             static_cast<long long>(millis % 1000));
  std::string out = text;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out;
}

}  // namespace genapp::common
