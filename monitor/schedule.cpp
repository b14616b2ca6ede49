#include "monitor/schedule.hpp"

namespace genapp::monitor {

std::size_t Schedule::start(Clock::time_point now) {
  due_ += interval_;
  if (due_ > now) return 0;
  const auto missed = (now - due_) / interval_ + 1;
  due_ += missed * interval_;
  return static_cast<std::size_t>(missed);
}

}  // namespace genapp::monitor
