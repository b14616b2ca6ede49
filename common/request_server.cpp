#include "common/request_server.hpp"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "common/clock.hpp"

namespace genapp::common {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Further clients wait in the backlog: a question must never be turned away, since quickCheck takes
// that for a hung daemon.
constexpr std::size_t kMostSessions = 32;
constexpr auto kSessionTime = std::chrono::seconds(1);
// For an answer that the client takes in pieces: in all, and for the next piece. The kernel tells
// of room only once three quarters of what is on the way have been taken.
constexpr auto kMostAnswerTime = std::chrono::seconds(10);
constexpr auto kMostPieceTime = std::chrono::seconds(3);
constexpr auto kExhaustedPause = std::chrono::milliseconds(100);

// How many sessions there are, and what is to be done when one ends. Shared, since sessions may
// outlive the server in the event loop's last handlers.
struct Sessions {
  std::size_t count = 0;
  std::function<void()> one_ended;
};

// One client: a request, an answer, the end. Owns itself through its handlers.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::posix::stream_descriptor socket, std::shared_ptr<Sessions> sessions,
          const RequestServer::Form& form, RequestServer::Answer answer)
      : socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        sessions_(std::move(sessions)),
        form_(form),
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
    close_at(Clock::now() + kSessionTime);
    read();
  }

 private:
  void close_at(Clock::time_point when) {
    timer_.expires_at(when);
    timer_.async_wait([self = weak_from_this()](error_code cancelled) {
      if (const auto session = self.lock(); session && !cancelled) session->close();
    });
  }

  void read() {
    socket_.async_read_some(asio::buffer(buffer_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (!error) self->take(size);
                            });
  }

  void take(std::size_t size) {
    request_.append(buffer_.data(), size);
    const auto end = request_.find(form_.end);
    if (end == std::string::npos && request_.size() <= form_.most_bytes) return read();
    text_ = end == std::string::npos ? std::string(form_.too_long)
                                     : answer_(std::string_view(request_).substr(0, end));
    // Most answers fit a fresh socket's buffer; a client that goes away is its own affair.
    if (!send_some() || sent_ == text_.size()) return close();
    answer_end_ = Clock::now() + kMostAnswerTime;
    write_on();
  }

  // False when the client is gone. Not with Asio, which knows no MSG_NOSIGNAL for a descriptor.
  bool send_some() {
    const ssize_t n = ::send(socket_.native_handle(), text_.data() + sent_, text_.size() - sent_,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) sent_ += static_cast<std::size_t>(n);
    return n >= 0 || errno == EAGAIN || errno == EINTR;
  }

  void write_on() {
    close_at(std::min(answer_end_, Clock::now() + kMostPieceTime));
    socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                       [self = shared_from_this()](error_code error) {
                         if (error) return;
                         if (!self->send_some() || self->sent_ == self->text_.size()) {
                           return self->close();
                         }
                         self->write_on();
                       });
  }

  void close() {
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
  }

  asio::posix::stream_descriptor socket_;
  asio::steady_timer timer_;
  std::shared_ptr<Sessions> sessions_;
  RequestServer::Form form_;
  RequestServer::Answer answer_;
  std::array<char, 512> buffer_{};
  std::string request_;
  std::string text_;  // the answer
  std::size_t sent_ = 0;
  Clock::time_point answer_end_{};
};

}  // namespace

class RequestServer::Impl {
 public:
  Impl(asio::io_context& io, Fd listener, const Form& form, Answer answer)
      : io_(io),
        listener_(io, listener.release()),
        pause_(io),
        form_(form),
        answer_(std::move(answer)) {
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
      std::make_shared<Session>(std::move(socket), sessions_, form_, [this](std::string_view line) {
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
  Form form_;
  Answer answer_;
  std::shared_ptr<Sessions> sessions_ = std::make_shared<Sessions>();
  bool waiting_ = false;
};

RequestServer::RequestServer(asio::io_context& io, Fd listener, const Form& form, Answer answer)
    : impl_(std::make_unique<Impl>(io, std::move(listener), form, std::move(answer))) {}
RequestServer::~RequestServer() = default;
void RequestServer::start() { impl_->wait(); }
void RequestServer::stop() { impl_->stop(); }

}  // namespace genapp::common
