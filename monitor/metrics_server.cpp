#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "common/error.hpp"
#include "common/fd.hpp"
#include "monitor/metrics.hpp"

namespace genapp::monitor {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using common::Fd;

constexpr int kBacklog = 16;
constexpr std::size_t kMostSessions = 16;
constexpr std::size_t kMostRequestBytes = 8192;
constexpr auto kSessionTime = std::chrono::seconds(1);
constexpr auto kExhaustedPause = std::chrono::milliseconds(100);

Fd listen_on(std::uint16_t port) {
  const std::string where = "--metrics: 127.0.0.1 port " + std::to_string(port);
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw common::system_error(where, errno);
  // So that the next start of the id is not kept from it by connections that have ended.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    throw common::system_error(where, errno);
  }
  return fd;
}

// The method is not looked at, nor is the path: everything here is the one text.
std::string answer(const std::string& text) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
         "Connection: close\r\nContent-Length: " +
         std::to_string(text.size()) + "\r\n\r\n" + text;
}

// One scrape. Owns itself through its handlers.
class Scrape : public std::enable_shared_from_this<Scrape> {
 public:
  Scrape(asio::posix::stream_descriptor socket, std::shared_ptr<std::size_t> count,
         std::function<std::string()> text)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        count_(std::move(count)),
        text_(std::move(text)) {
    ++*count_;
  }
  ~Scrape() { --*count_; }
  Scrape(const Scrape&) = delete;
  Scrape& operator=(const Scrape&) = delete;

  void start() {
    timer_.expires_after(kSessionTime);
    timer_.async_wait([self = weak_from_this()](error_code cancelled) {
      if (const auto scrape = self.lock(); scrape && !cancelled) scrape->close();
    });
    read();
  }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (!error) self->take(size);
                            });
  }

  void take(std::size_t size) {
    request_.append(buffer_.data(), size);
    if (request_.size() > kMostRequestBytes) return close();
    if (request_.find("\r\n\r\n") == std::string::npos) return read();
    answer_ = answer(text_());
    asio::async_write(socket_, asio::buffer(answer_),
                      [self = shared_from_this()](error_code, std::size_t) { self->close(); });
  }

  void close() {
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
  }

  asio::posix::stream_descriptor socket_;
  asio::steady_timer timer_;
  std::shared_ptr<std::size_t> count_;
  std::function<std::string()> text_;
  std::array<char, 1024> buffer_{};
  std::string request_{};
  std::string answer_{};
};

}  // namespace

class MetricsServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, Fd listener, std::function<std::string()> text)
      : io_(io), listener_(io, listener.release()), pause_(io), text_(std::move(text)) {}

  void wait() {
    listener_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = weak_from_this()](error_code error) {
                           if (const auto server = self.lock(); server && !error) server->accept();
                         });
  }

 private:
  void accept() {
    for (;;) {
      Fd fd(::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (!fd) return errno == EAGAIN ? wait() : pause();
      if (*count_ >= kMostSessions) continue;  // turned away
      asio::posix::stream_descriptor socket(io_);
      error_code no_room;
      socket.assign(fd.get(), no_room);
      if (no_room) continue;
      fd.release();
      std::make_shared<Scrape>(std::move(socket), count_, text_)->start();
    }
  }

  // Out of descriptors; trying again at once would spin.
  void pause() {
    pause_.expires_after(kExhaustedPause);
    pause_.async_wait([self = weak_from_this()](error_code cancelled) {
      if (const auto server = self.lock(); server && !cancelled) server->wait();
    });
  }

  asio::io_context& io_;
  asio::posix::stream_descriptor listener_;
  asio::steady_timer pause_;
  std::function<std::string()> text_;
  std::shared_ptr<std::size_t> count_ = std::make_shared<std::size_t>(0);
};

MetricsServer::MetricsServer(asio::io_context& io, std::uint16_t port,
                             std::function<std::string()> text)
    : impl_(std::make_shared<Impl>(io, listen_on(port), std::move(text))) {
  impl_->wait();
}
MetricsServer::~MetricsServer() = default;

}  // namespace genapp::monitor
