#include "lbhc/responder.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <optional>

#include "common/error.hpp"
#include "common/log.hpp"
#include "lbhc/http_request.hpp"
#include "lbhc/reply.hpp"

namespace genapp::lbhc {
namespace {

namespace asio = boost::asio;
namespace log = common::log;
using boost::system::error_code;
using common::Clock;

// So many connections are accepted before the loop looks at its timers and other sockets again.
constexpr int kAcceptsPerTurn = 64;
// A flood must not keep the clock from being read: enough turns for a full backlog (4096), no more.
constexpr int kMostTurns = 64;
// Pause before trying again when not even one descriptor can be had.
constexpr auto kExhaustedPause = std::chrono::milliseconds(100);

struct Connection {
  explicit Connection(asio::io_context& io) : socket(io) {}

  asio::posix::stream_descriptor socket;
  Clock::time_point deadline{};
  std::size_t discarded = 0;
  std::unique_ptr<HttpRequestReader> reader;  // while an HTTP request is awaited
  bool abandoned = false;                     // closed from outside; its read has yet to return
};

using Connections = std::list<Connection>;

// accept(2): errors of the one connection or of the network, after which the next may succeed.
bool concerns_one_connection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

bool out_of_descriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

class Responder::Impl {
 public:
  Impl(asio::io_context& io, common::Fd listener, const Config& config, ResponderLimits limits,
       std::function<void(const Address&)> on_probe)
      : io_(io),
        listener_(io, listener.release()),
        config_(config),
        limits_(limits),
        on_probe_(std::move(on_probe)),
        sweep_timer_(io),
        pause_timer_(io) {}

  void start() { wait_for_connections(); }

  void accept_waiting() {
    for (int turn = 0; turn < kMostTurns && listener_.is_open(); ++turn) {
      if (!accept_some()) return;
    }
  }

  void drain() {
    draining_ = true;
    if (config_.protocol == Protocol::tcp) close_listener();
  }

  void stop() {
    close_listener();
    stopped_ = true;
    sweep_timer_.cancel();
    while (evict_oldest()) {
    }
  }

  const Counters& counters() const { return counters_; }

 private:
  void close_listener() {
    error_code ignored;
    listener_.close(ignored);
    pause_timer_.cancel();
  }

  void wait_for_connections() {
    listening_ = true;
    listener_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
      listening_ = false;
      if (error || !listener_.is_open()) return;
      accept_some();
      if (listener_.is_open() && !paused_) wait_for_connections();
    });
  }

  // True when there may be more to accept at once.
  bool accept_some() {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      if (!listener_.is_open() || !accept_one()) return false;
    }
    return true;
  }

  // False when nothing is waiting, or nothing can be accepted now.
  bool accept_one() {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    const int fd = ::accept4(listener_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      note_recovery();
      serve(common::Fd(fd), Address::from_socket(peer));
      return true;
    }
    const int error = errno;
    if (error == EAGAIN || error == EWOULDBLOCK) return false;
    if (concerns_one_connection(error)) return true;
    // Linux says so even when nobody is waiting: nobody is to be turned out for nobody.
    if (out_of_descriptors(error) && !somebody_waits()) return false;
    if (out_of_descriptors(error) && evict_oldest()) return true;
    pause(error);
    return false;
  }

  bool somebody_waits() {
    pollfd item{listener_.native_handle(), POLLIN, 0};
    return ::poll(&item, 1, 0) > 0;
  }

  // Trying again at once would spin.
  void pause(int error) {
    if (!exhausted_) {
      log::error("accepting probes failed: " + common::errno_text(error) +
                 ": trying again until it works");
    }
    exhausted_ = true;
    if (paused_) return;
    paused_ = true;
    pause_timer_.expires_after(kExhaustedPause);
    pause_timer_.async_wait([this](error_code cancelled) {
      if (cancelled) return;
      paused_ = false;
      if (listener_.is_open() && !listening_) wait_for_connections();
    });
  }

  void note_recovery() {
    if (exhausted_) log::info("accepting probes works again");
    exhausted_ = false;
  }

  void serve(common::Fd fd, const Address& source) {
    const bool allowed = config_.allow.allows(source);
    if (!allowed) {
      ++counters_.others;
      if (config_.others == Others::refuse) return reset(std::move(fd));
    }
    if (counters_.open >= limits_.connections) evict_oldest();
    if (allowed) on_probe_(source);
    // on_probe_ may have ended everything (a failed start).
    if (stopped_) return;
    open_connection(std::move(fd));
  }

  static void reset(common::Fd fd) {
    const linger at_once{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  void open_connection(common::Fd fd) {
    const bool http = config_.protocol == Protocol::http;
    if (!http && !count_reply(send_and_half_close(fd.get(), greeting_text()))) {
      return;  // the prober is gone: nothing to be polite to
    }
    Connections& list = http ? waiting_ : lingering_;
    list.emplace_back(io_);
    const auto connection = std::prev(list.end());
    error_code error;
    connection->socket.assign(fd.get(), error);
    if (error) {
      list.pop_back();
      return;
    }
    fd.release();
    ++counters_.open;
    set_deadline(*connection, http ? limits_.request_time : limits_.linger_time);
    if (http) {
      connection->reader = std::make_unique<HttpRequestReader>();
      read_request(connection);
    } else {
      discard(connection);
    }
  }

  const std::string& greeting_text() {
    if (!greeting_ || greeting_draining_ != draining_) {
      greeting_ = greeting(config_.protocol, config_.message, draining_);
      greeting_draining_ = draining_;
    }
    return *greeting_;
  }

  // The reply fits a fresh socket's buffer (kMostMessageBytes), so a short write means trouble.
  static bool send_and_half_close(int fd, const std::string& text) {
    const bool sent =
        text.empty() || ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
                            static_cast<ssize_t>(text.size());
    return sent && ::shutdown(fd, SHUT_WR) == 0;
  }

  bool count_reply(bool answered) {
    ++(answered ? counters_.answered : counters_.undelivered);
    return answered;
  }

  void read_request(Connections::iterator connection) {
    connection->socket.async_read_some(asio::buffer(scratch_),
                                       [this, connection](error_code error, std::size_t size) {
                                         if (connection->abandoned) return bury(connection);
                                         if (error) {
                                           ++counters_.undelivered;
                                           return finish(waiting_, connection);
                                         }
                                         take_request(connection, size);
                                       });
  }

  void take_request(Connections::iterator connection, std::size_t size) {
    const auto progress = connection->reader->put(scratch_.data(), size);
    if (progress == HttpRequestReader::Progress::more) return read_request(connection);
    const bool understood = progress == HttpRequestReader::Progress::complete;
    const auto now = common::WallClock::now();
    const std::string text =
        understood ? http_reply(connection->reader->request(), config_.message, draining_, now)
                   : http_refusal(progress, now);
    connection->reader.reset();
    const bool sent = send_and_half_close(connection->socket.native_handle(), text);
    count_reply(sent && understood);
    if (!sent) return finish(waiting_, connection);
    lingering_.splice(lingering_.end(), waiting_, connection);
    set_deadline(*connection, limits_.linger_time);
    discard(connection);
  }

  // Reads to the end, so that close() finds nothing unread and sends no RST. All connections share
  // the buffer: nobody looks at what is in it.
  void discard(Connections::iterator connection) {
    connection->socket.async_read_some(
        asio::buffer(scratch_), [this, connection](error_code error, std::size_t size) {
          if (connection->abandoned) return bury(connection);
          connection->discarded += size;
          if (error || connection->discarded > limits_.discarded_bytes) {
            return finish(lingering_, connection);
          }
          discard(connection);
        });
  }

  // From the connection's own read, of which there is always exactly one.
  void finish(Connections& list, Connections::iterator connection) {
    list.erase(connection);
    --counters_.open;
  }

  // From anywhere else: that read is still to return, perhaps with success, and needs the object.
  void abandon(Connections& list, Connections::iterator connection) {
    error_code ignored;
    connection->socket.close(ignored);
    connection->abandoned = true;
    abandoned_.splice(abandoned_.end(), list, connection);
    --counters_.open;
  }

  void bury(Connections::iterator connection) { abandoned_.erase(connection); }

  // Each list's deadlines are in order, since each list has one length of time.
  void set_deadline(Connection& connection, Clock::duration length) {
    connection.deadline = Clock::now() + length;
    if (!sweep_at_ || connection.deadline < *sweep_at_) arm_sweep(connection.deadline);
  }

  void arm_sweep(Clock::time_point when) {
    sweep_at_ = when;
    sweep_timer_.expires_at(when);
    sweep_timer_.async_wait([this](error_code cancelled) {
      if (!cancelled) sweep();
    });
  }

  void sweep() {
    sweep_at_.reset();
    const auto now = Clock::now();
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
      ++counters_.undelivered;
      abandon(waiting_, waiting_.begin());
    }
    while (!lingering_.empty() && lingering_.front().deadline <= now) {
      abandon(lingering_, lingering_.begin());
    }
    std::optional<Clock::time_point> next;
    for (const Connections* list : {&waiting_, &lingering_}) {
      if (!list->empty() && (!next || list->front().deadline < *next)) {
        next = list->front().deadline;
      }
    }
    if (next) arm_sweep(*next);
  }

  // In favour of a new one: those that have their answer go first.
  bool evict_oldest() {
    if (!lingering_.empty()) {
      abandon(lingering_, lingering_.begin());
    } else if (!waiting_.empty()) {
      ++counters_.undelivered;
      abandon(waiting_, waiting_.begin());
    } else {
      return false;
    }
    return true;
  }

  asio::io_context& io_;
  asio::posix::stream_descriptor listener_;
  const Config& config_;
  const ResponderLimits limits_;
  std::function<void(const Address&)> on_probe_;
  asio::steady_timer sweep_timer_;
  std::optional<Clock::time_point> sweep_at_;  // nothing while it is not armed
  asio::steady_timer pause_timer_;
  Connections waiting_;    // HTTP: no request yet; by deadline
  Connections lingering_;  // answered, half-closed; by deadline
  Connections abandoned_;
  Counters counters_;
  std::array<char, 4096> scratch_{};
  std::optional<std::string> greeting_;
  bool greeting_draining_ = false;
  bool draining_ = false;
  bool stopped_ = false;
  bool exhausted_ = false;  // told in the log
  bool paused_ = false;     // waits for the pause to end
  bool listening_ = false;  // waits for connections
};

Responder::Responder(asio::io_context& io, common::Fd listener, const Config& config,
                     ResponderLimits limits, std::function<void(const Address&)> on_probe)
    : impl_(std::make_unique<Impl>(io, std::move(listener), config, limits, std::move(on_probe))) {}
Responder::~Responder() = default;
void Responder::start() { impl_->start(); }
void Responder::accept_waiting() { impl_->accept_waiting(); }
void Responder::drain() { impl_->drain(); }
void Responder::stop() { impl_->stop(); }
const Counters& Responder::counters() const { return impl_->counters(); }

}  // namespace genapp::lbhc
