#include "common/watchdog.hpp"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/notify.hpp"

namespace genapp::common {
namespace {

namespace asio = boost::asio;

// A year: nobody means more, and a clock can't count up all that the variable can hold.
constexpr std::int64_t kMostMicroseconds = 365LL * 24 * 3600 * 1'000'000;

std::optional<std::int64_t> number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  const std::string_view word = text ? text : "";
  std::int64_t number = 0;
  const auto [after, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (word.empty() || error != std::errc() || after != word.data() + word.size()) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

std::optional<Clock::duration> watchdog_time() {
  if (std::getenv("WATCHDOG_PID") && number_in("WATCHDOG_PID") != ::getpid()) return std::nullopt;
  const auto microseconds = number_in("WATCHDOG_USEC");
  if (!microseconds || *microseconds <= 0 || *microseconds > kMostMicroseconds) return std::nullopt;
  return std::chrono::microseconds(*microseconds);
}

class Watchdog::Impl {
 public:
  Impl(asio::io_context& io, Clock::duration time) : timer_(io), pause_(time / 2) {}

  void ping() {
    notify_systemd("WATCHDOG=1", NotifyWait::none);
    timer_.expires_after(pause_);
    timer_.async_wait([this](boost::system::error_code cancelled) {
      if (!cancelled && !stopped_) ping();
    });
  }

  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  Clock::duration pause_;
  bool stopped_ = false;
};

Watchdog::Watchdog(asio::io_context& io, Clock::duration time)
    : impl_(std::make_unique<Impl>(io, time)) {
  impl_->ping();
}
Watchdog::~Watchdog() = default;
void Watchdog::stop() { impl_->stop(); }

}  // namespace genapp::common
