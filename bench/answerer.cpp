#include "bench/answerer.hpp"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace genapp::bench {
namespace {

constexpr int kTickMilliseconds = 100;
constexpr char kHttpAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

int listen_on(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 4096) != 0) {
    throw std::runtime_error("no listener on port " + std::to_string(port));
  }
  return fd;
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// A monitor that has gone away reads nothing any more.
void send_to(int fd, const std::string& text) {
  [[maybe_unused]] const auto sent =
      ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

Answerer::Answerer(std::uint16_t port, Manner manner)
    : manner_(manner), listener_(listen_on(port)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  watch(epoll_, listener_);
  thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
}

Answerer::~Answerer() {
  thread_.request_stop();
  thread_.join();
  for (const auto& [fd, text] : connections_) ::close(fd);
  ::close(listener_);
  ::close(epoll_);
}

std::map<int, std::vector<Answerer::Clock::time_point>> Answerer::take_arrivals() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(arrivals_, {});
}

void Answerer::serve(std::stop_token stop) {
  auto next_drip = Clock::now();
  while (!stop.stop_requested()) {
    epoll_event events[256];
    const int ready = ::epoll_wait(epoll_, events, 256, kTickMilliseconds);
    for (int i = 0; i < ready; ++i) {
      events[i].data.fd == listener_ ? accept_all() : on_readable(events[i].data.fd);
    }
    if (Clock::now() < next_drip) continue;
    next_drip = Clock::now() + std::chrono::milliseconds(kTickMilliseconds);
    if (manner_ == Manner::drip_http || manner_ == Manner::drip_smtp) drip();
  }
}

void Answerer::accept_all() {
  int fd = -1;
  while ((fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
    connections_[fd] = "";
    watch(epoll_, fd);
    if (manner_ == Manner::smtp) send_to(fd, "220 ready\r\n");
  }
}

void Answerer::on_readable(int connection) {
  char buffer[4096];
  const ssize_t size = ::recv(connection, buffer, sizeof buffer, 0);
  if (size <= 0) return close_connection(connection);
  bool over = false;
  send_to(connection, answer(connection, {buffer, static_cast<std::size_t>(size)}, over));
  // The client closes first, as it does with a server that is polite.
  if (over) ::shutdown(connection, SHUT_WR);
}

std::string Answerer::answer(int connection, const std::string& bytes, bool& over) {
  std::string& text = connections_[connection];
  if (manner_ == Manner::http) {
    text += bytes;
    if (text.find("\r\n\r\n") == std::string::npos) return "";
    over = true;
    const auto slash = text.find('/');
    const std::scoped_lock lock(mutex_);
    arrivals_[std::atoi(text.c_str() + slash + 1)].push_back(Clock::now());
    return kHttpAnswer;
  }
  if (manner_ == Manner::smtp) {
    over = bytes.starts_with("QUIT");
    return over ? "221 bye\r\n" : "250 fine\r\n";
  }
  return "";
}

void Answerer::drip() {
  const std::string begin = manner_ == Manner::drip_http ? "HTTP/1.1 200 " : "220 ";
  for (auto& [fd, sent] : connections_) {
    const char next = sent.size() < begin.size() ? begin[sent.size()] : 'x';
    sent += next;
    send_to(fd, {next});
  }
}

void Answerer::close_connection(int connection) {
  ::close(connection);
  connections_.erase(connection);
}

}  // namespace genapp::bench
