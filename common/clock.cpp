#include "common/clock.hpp"

#include <stdio.h>
#include <time.h>

namespace genapp::common {

std::string utc_text(WallClock::time_point when) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch());
  const time_t seconds = std::chrono::floor<std::chrono::seconds>(since).count();
  const int millis = static_cast<int>((since - std::chrono::seconds(seconds)).count());
  struct tm parts {};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const int length = ::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                                parts.tm_hour, parts.tm_min, parts.tm_sec, millis);
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
