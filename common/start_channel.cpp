#include "common/start_channel.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "common/error.hpp"

namespace genapp::common {
namespace {

constexpr std::size_t kMostMessageBytes = 2048;

}  // namespace

StartChannel StartChannel::make() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw system_error("socket pair to what is to be started", errno);
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

void send_start_message(int channel, const StartMessage& message, const char* gone) {
  const std::string text =
      static_cast<char>(message.word) + message.text.substr(0, kMostMessageBytes - 1);
  while (::send(channel, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
    if (errno == EPIPE) throw Error(gone);
    if (errno != EINTR) throw system_error("telling the other side of the start", errno);
  }
}

std::optional<StartMessage> receive_start_message(const Fd& channel, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd item{channel.get(), POLLIN, 0};
    const int n = ::poll(&item, 1, static_cast<int>(std::clamp<long long>(left, 0, 1'000'000'000)));
    if (n < 0 && errno != EINTR) throw system_error("waiting for the start", errno);
    if (n > 0) {
      std::string text(kMostMessageBytes, '\0');
      const ssize_t size = ::recv(channel.get(), text.data(), text.size(), 0);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return std::nullopt;
      return StartMessage{static_cast<StartWord>(text.front()),
                          text.substr(1, static_cast<std::size_t>(size) - 1)};
    }
    if (Clock::now() >= deadline) return std::nullopt;
  }
}

}  // namespace genapp::common
