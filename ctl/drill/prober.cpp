#include "ctl/drill/prober.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <string_view>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/fd.hpp"

namespace genapp::ctl::drill {
namespace {

using common::Clock;
using common::Fd;

constexpr int kPauseMilliseconds = 100;
constexpr auto kAnswerTime = std::chrono::seconds(1);
constexpr std::string_view kHttpRequest = "GET / HTTP/1.0\r\n\r\n";

sockaddr_storage socket_address(const std::string& text, std::uint16_t port) {
  sockaddr_storage address{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return address;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  if (::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    return address;
  }
  throw common::Error(text + " is no address");
}

bool wait_for(const Fd& fd, short event, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd item{fd.get(), event, 0};
    const int n = ::poll(&item, 1, static_cast<int>(std::max<long long>(left, 0)));
    if (n > 0) return true;
    if (n == 0 || errno != EINTR) return false;
  }
}

bool connects(const Fd& fd, const sockaddr_storage& address, Clock::time_point deadline) {
  const socklen_t length =
      address.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0) return true;
  int error = errno;
  if (error != EINPROGRESS || !wait_for(fd, POLLOUT, deadline)) return false;
  socklen_t size = sizeof error;
  return ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

// To the end that a served probe has: a FIN, whatever came before.
bool reads_to_end(const Fd& fd, Clock::time_point deadline) {
  char buffer[4096];
  while (wait_for(fd, POLLIN, deadline)) {
    const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
    if (n == 0) return true;
    if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
  }
  return false;
}

bool is_answered(const sockaddr_storage& address, std::string_view request) {
  const auto deadline = Clock::now() + kAnswerTime;
  const Fd fd(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd || !connects(fd, address, deadline)) return false;
  const bool asked =
      request.empty() || ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
                             static_cast<ssize_t>(request.size());
  return asked && reads_to_end(fd, deadline);
}

}  // namespace

lbhc::Address parse_address(const std::string& text) {
  return lbhc::Address::from_socket(socket_address(text, 0));
}

Prober::Prober(const std::string& address, const lbhc::Config& config) {
  const sockaddr_storage where = socket_address(address, config.port);
  const std::string_view request =
      config.protocol == lbhc::Protocol::http ? kHttpRequest : std::string_view();
  thread_ = std::thread([this, where, request] {
    while (!ending_) {
      // Counted together, so that a probe under way is no lost one.
      const bool answered = is_answered(where, request);
      ++sent_;
      if (!answered) ++lost_;
      ::poll(nullptr, 0, kPauseMilliseconds);
    }
  });
}

Prober::~Prober() {
  ending_ = true;
  thread_.join();
}

}  // namespace genapp::ctl::drill
