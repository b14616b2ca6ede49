#include "monitor/response_times.hpp"

#include <algorithm>
#include <limits>

namespace genapp::monitor {

void ResponseTimes::put(common::Clock::duration took) {
  const auto time = std::chrono::duration_cast<Duration>(took);
  kept_[total_.count % kKept] = static_cast<std::uint32_t>(
      std::clamp<Duration::rep>(time.count(), 0, std::numeric_limits<std::uint32_t>::max()));
  total_.least = total_.count == 0 ? time : std::min(total_.least, time);
  total_.last = time;
  total_.sum += time;
  ++total_.count;
}

std::optional<ResponseTimes::Summary> ResponseTimes::summary() const {
  if (total_.count == 0) return std::nullopt;
  auto sorted = kept_;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(total_.count, kKept));
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(size));
  const auto percentile = [&](std::size_t percent) {
    return Duration(sorted[(size * percent + 99) / 100 - 1]);
  };
  Summary summary = total_;
  summary.p50 = percentile(50);
  summary.p99 = percentile(99);
  return summary;
}

}  // namespace genapp::monitor
