#include "bench/client.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <stdexcept>

namespace genapp::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kLongestProbe = std::chrono::seconds(2);
constexpr int kLookMilliseconds = 50;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class LoadRun {
 public:
  LoadRun(std::uint16_t port, const Load& load)
      : address_(loopback(port)), load_(load), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::runtime_error("epoll_create1");
    probes_.resize(static_cast<std::size_t>(load.clients));
    result_.latencies_us.reserve(static_cast<std::size_t>(load.probes));
  }
  ~LoadRun() { ::close(epoll_); }
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;

  LoadResult run() {
    const auto begin = Clock::now();
    last_begin_ = begin + std::chrono::round<Clock::duration>(
                              std::chrono::duration<double>(load_.most_seconds));
    for (std::size_t i = 0; i < probes_.size(); ++i) begin_probe(i);
    std::array<epoll_event, 128> events;
    while (ended_ < begun_) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), kLookMilliseconds);
      for (int i = 0; i < count; ++i) go_on(events[static_cast<std::size_t>(i)]);
      end_late_ones();
    }
    result_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return std::move(result_);
  }

 private:
  struct Probe {
    int fd = -1;
    Clock::time_point begin;
    bool connected = false;
    bool got_bytes = false;
  };

  void begin_probe(std::size_t i) {
    while (begun_ < load_.probes && Clock::now() < last_begin_) {
      ++begun_;
      Probe& probe = probes_[i];
      probe = {::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), Clock::now()};
      if (probe.fd < 0) throw std::runtime_error("socket");
      const auto* address = reinterpret_cast<const sockaddr*>(&address_);
      const bool begun = ::connect(probe.fd, address, sizeof address_) == 0 || errno == EINPROGRESS;
      epoll_event event{};
      event.events = EPOLLIN | EPOLLOUT | EPOLLET;
      event.data.u64 = i;
      if (begun && ::epoll_ctl(epoll_, EPOLL_CTL_ADD, probe.fd, &event) == 0) return;
      end(probe, false);
    }
  }

  void end(Probe& probe, bool answered) {
    const std::chrono::duration<double, std::micro> took = Clock::now() - probe.begin;
    ::close(probe.fd);
    probe.fd = -1;
    ++ended_;
    if (answered) {
      result_.latencies_us.push_back(took.count());
    } else {
      ++result_.lost;
    }
  }

  void end_and_begin_next(std::size_t i, bool answered) {
    end(probes_[i], answered);
    begin_probe(i);
  }

  void go_on(const epoll_event& event) {
    const auto i = static_cast<std::size_t>(event.data.u64);
    Probe& probe = probes_[i];
    if (probe.fd < 0) return;
    if (!probe.connected && (event.events & (EPOLLOUT | EPOLLERR))) {
      int error = 0;
      socklen_t length = sizeof error;
      ::getsockopt(probe.fd, SOL_SOCKET, SO_ERROR, &error, &length);
      if (error) return end_and_begin_next(i, false);
      probe.connected = true;
      if (!load_.reads_reply) return end_and_begin_next(i, true);
      const auto size = load_.request.size();
      if (size > 0 && ::send(probe.fd, load_.request.data(), size, MSG_NOSIGNAL) < 0) {
        return end_and_begin_next(i, false);
      }
    }
    if (event.events & (EPOLLIN | EPOLLHUP)) read(i);
  }

  void read(std::size_t i) {
    Probe& probe = probes_[i];
    std::array<char, 4096> buffer;
    for (;;) {
      const ssize_t size = ::recv(probe.fd, buffer.data(), buffer.size(), 0);
      if (size > 0) {
        probe.got_bytes = true;
      } else if (size == 0) {
        return end_and_begin_next(i, probe.got_bytes);
      } else if (errno == EAGAIN) {
        return;
      } else {
        return end_and_begin_next(i, false);
      }
    }
  }

  void end_late_ones() {
    const auto now = Clock::now();
    if (now < look_at_) return;
    look_at_ = now + std::chrono::milliseconds(kLookMilliseconds);
    for (std::size_t i = 0; i < probes_.size(); ++i) {
      if (probes_[i].fd >= 0 && now - probes_[i].begin > kLongestProbe)
        end_and_begin_next(i, false);
    }
  }

  sockaddr_in address_;
  const Load& load_;
  int epoll_;
  std::vector<Probe> probes_;
  LoadResult result_;
  Clock::time_point look_at_;
  Clock::time_point last_begin_;
  int begun_ = 0;
  int ended_ = 0;
};

}  // namespace

LoadResult run_load(std::uint16_t port, const Load& load) { return LoadRun(port, load).run(); }

void wait_for_listener(std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  for (int i = 0; i < 500; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool listens =
        ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (listens) return;
    ::poll(nullptr, 0, 10);
  }
  throw std::runtime_error("nobody listens on port " + std::to_string(port));
}

}  // namespace genapp::bench
