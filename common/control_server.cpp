#include "common/control_server.hpp"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/control_socket.hpp"
#include "common/error.hpp"
#include "common/fd.hpp"

namespace genapp::common {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int kBacklog = 64;
// Further clients wait in the backlog: a question must never be turned away, since quickCheck takes
// that for a hung daemon.
constexpr std::size_t kMostSessions = 32;
constexpr std::size_t kMostRequestBytes = 256;
constexpr auto kSessionTime = std::chrono::seconds(1);
constexpr auto kExhaustedPause = std::chrono::milliseconds(100);

Fd listen_at(const Directory& dir, const std::string& name) {
  dir.unlink(name);
  const sockaddr_un address = socket_address(dir, name);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw system_error("control socket " + dir.full(name), errno);
  const mode_t before = ::umask(0177);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  if (bound != 0) throw system_error("control socket " + dir.full(name), error);
  if (::listen(fd.get(), kBacklog) != 0) {
    const int listen_error = errno;
    dir.unlink(name);
    throw system_error("control socket " + dir.full(name), listen_error);
  }
  return fd;
}

// How many sessions there are, and what is to be done when one ends. Shared, since sessions may
// outlive the server in the event loop's last handlers.
struct Sessions {
  std::size_t count = 0;
  std::function<void()> one_ended;
};

// One client: a request line, an answer, the end. Owns itself through its handlers.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::posix::stream_descriptor socket, std::shared_ptr<Sessions> sessions,
          ControlServer::Answer answer)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        sessions_(std::move(sessions)),
        answer_(std::move(answer)) {
    ++sessions_->count;
  }
  ~Session() {
    --sessions_->count;
    if (sessions_->one_ended) sessions_->one_ended();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start() {
    timer_.expires_after(kSessionTime);
    timer_.async_wait([self = weak_from_this()](error_code cancelled) {
      if (const auto session = self.lock(); session && !cancelled) session->close();
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
    const auto end = request_.find('\n');
    if (end == std::string::npos && request_.size() <= kMostRequestBytes) return read();
    const std::string text = end == std::string::npos
                                 ? "error: the request is too long\n"
                                 : answer_(std::string_view(request_).substr(0, end));
    // A status line fits a fresh socket's buffer; a client that goes away is its own affair.
    [[maybe_unused]] const ssize_t sent =
        ::send(socket_.native_handle(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    close();
  }

  void close() {
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
  }

  asio::posix::stream_descriptor socket_;
  asio::steady_timer timer_;
  std::shared_ptr<Sessions> sessions_;
  ControlServer::Answer answer_;
  std::array<char, 512> buffer_{};
  std::string request_;
};

}  // namespace

class ControlServer::Impl {
 public:
  Impl(asio::io_context& io, Fd listener, Answer answer)
      : io_(io), listener_(io, listener.release()), pause_(io), answer_(std::move(answer)) {
    sessions_->one_ended = [this] { resume(); };
  }
  ~Impl() { sessions_->one_ended = nullptr; }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void wait() {
    waiting_ = true;
    listener_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
      waiting_ = false;
      if (error || !listener_.is_open()) return;
      accept_all();
    });
  }

  void stop() {
    error_code ignored;
    listener_.close(ignored);
    pause_.cancel();
  }

 private:
  // Until none is left, there are enough sessions, or the system has no descriptor left.
  void accept_all() {
    while (sessions_->count < kMostSessions) {
      Fd fd(::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (!fd) return errno == EAGAIN ? wait() : pause();
      asio::posix::stream_descriptor socket(io_);
      error_code no_room;  // in epoll: the one client is turned away, the daemon lives
      socket.assign(fd.get(), no_room);
      if (no_room) continue;
      fd.release();
      std::make_shared<Session>(std::move(socket), sessions_, [this](std::string_view line) {
        return answer_(line);
      })->start();
    }
  }

  // Out of descriptors; trying again at once would spin.
  void pause() {
    pause_.expires_after(kExhaustedPause);
    pause_.async_wait([this](error_code cancelled) {
      if (!cancelled) resume();
    });
  }

  void resume() {
    if (listener_.is_open() && !waiting_) wait();
  }

  asio::io_context& io_;
  asio::posix::stream_descriptor listener_;
  asio::steady_timer pause_;
  Answer answer_;
  std::shared_ptr<Sessions> sessions_ = std::make_shared<Sessions>();
  bool waiting_ = false;
};

ControlServer::ControlServer(asio::io_context& io, const Directory& dir, const std::string& name,
                             Answer answer)
    : impl_(std::make_unique<Impl>(io, listen_at(dir, name), std::move(answer))) {}
ControlServer::~ControlServer() = default;
void ControlServer::start() { impl_->wait(); }
void ControlServer::stop() { impl_->stop(); }

}  // namespace genapp::common
