#include "monitor/stream.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/defer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>
#include <vector>

#include "common/fd.hpp"
#include "monitor/resolver.hpp"
#include "monitor/tls_session.hpp"

namespace genapp::monitor {
namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;
using boost::system::error_code;
using common::Clock;
using common::Fd;

constexpr std::size_t kMostAtOnce = 8192;
// At the end, what has come and was not read, so that closing does not reset the connection. A peer
// that sends without end is reset.
constexpr int kLastReads = 4;

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

// `text` is an address as the resolver gives it.
SocketAddress socket_address(const std::string& text, std::uint16_t port) {
  SocketAddress result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.bytes);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.bytes);
  const auto percent = text.find('%');
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    result.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, text.substr(0, percent).c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    result.size = sizeof *v6;
  }
  // A link by its name or number: only the C library knows which.
  addrinfo hints{};
  hints.ai_family = AF_INET6;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (percent != std::string::npos && ::getaddrinfo(text.c_str(), nullptr, &hints, &found) == 0) {
    v6->sin6_scope_id = reinterpret_cast<const sockaddr_in6*>(found->ai_addr)->sin6_scope_id;
    ::freeaddrinfo(found);
  }
  return result;
}

std::string with_port(const std::string& address, std::uint16_t port) {
  const bool brackets = address.find(':') != std::string::npos;
  return (brackets ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace

// The connection is not given to epoll before something must be waited for: most checks of a server
// nearby wait once. Each operation tries its system call first.
class Stream::Impl : public std::enable_shared_from_this<Stream::Impl> {
 public:
  Impl(asio::io_context& io, Resolver& resolver, Clock::time_point deadline)
      : io_(io), resolver_(resolver), deadline_(deadline), watched_(io), timer_(io) {}

  void connect(const Server& server, Done done) {
    if (!begin(Phase::looking_up, std::move(done))) return;
    host_ = server.host;
    port_ = server.port;
    until(deadline_);
    looking_up_ = resolver_.look_up(
        host_, [self = shared_from_this()](const Addresses& found) { self->try_addresses(found); });
  }

  void start_tls(const TlsContext& context, const Server& server, Done done) {
    if (!begin(Phase::handshaking, std::move(done))) return;
    // Before it is given away: epoll knows it by the number that the session's socket has too.
    if (!fd_) fd_ = Fd(watched_.release());
    tls_ = std::make_unique<TlsSession>(io_, context, std::move(fd_), server.host);
    tls_->handshake([self = shared_from_this()](const auto& problem) {
      if (!problem) return self->succeed();
      self->fail(
          {Event::tls_error, 0, "TLS handshake with " + self->address_ + ": " + problem->reason});
    });
  }

  void write(std::string bytes, Done done) {
    if (!begin(Phase::writing, std::move(done))) return;
    if (tls_) return write_tls(std::move(bytes));
    out_ = std::move(bytes);
    sent_ = 0;
    answer_awaited_ = true;
    const int error = send_some();
    asio::defer(io_, [self = shared_from_this(), turn = turn_, error] {
      if (self->turn_ == turn) self->after_send(error);
    });
  }

  void read(std::string_view what, Read done) {
    if (!begin(Phase::reading, nullptr)) return;
    read_ = std::move(done);
    awaited_ = what;
    if (tls_) return read_tls();
    // What was just asked for is not there yet; the look for it would be a wasted one.
    if (std::exchange(answer_awaited_, false)) return wait(stream_descriptor::wait_read);
    asio::defer(io_, [self = shared_from_this(), turn = turn_] {
      if (self->turn_ == turn) self->receive();
    });
  }

  void close(std::string_view last_words) {
    if (phase_ == Phase::closed) return;
    const bool speak = connected_ && !tls_ && phase_ != Phase::writing;
    if (speak && !last_words.empty()) {
      ::send(socket(), last_words.data(), last_words.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (speak && more_has_come_) discard_input();
    if (tls_) tls_->close(last_words);
    shut();
    done_ = nullptr;
    read_ = nullptr;
  }

  const std::string& address() const { return address_; }
  std::optional<int> certificate_days() const {
    return tls_ ? tls_->certificate_days() : std::nullopt;
  }

 private:
  enum class Phase {
    idle,
    looking_up,
    connecting,
    handshaking,
    writing,
    reading,
    given_up,
    closed
  };

  // False after a fault or close().
  bool begin(Phase phase, Done done) {
    if (phase_ == Phase::closed || phase_ == Phase::given_up) return false;
    phase_ = phase;
    ++turn_;
    done_ = std::move(done);
    if (expired_) {
      asio::defer(io_, [self = shared_from_this(), turn = turn_] {
        if (self->turn_ == turn) self->on_limit();
      });
    }
    return true;
  }

  void succeed() {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::idle;
    ++turn_;
    if (const Done done = std::exchange(done_, nullptr)) done(std::nullopt);
  }

  void fail(const Fault& fault) {
    if (phase_ == Phase::closed) return;
    const auto self = shared_from_this();  // who is told may drop us
    if (fault.timed_out && phase_ == Phase::reading) {
      give_up();
    } else {
      shut();
    }
    const Done done = std::exchange(done_, nullptr);
    const Read read = std::exchange(read_, nullptr);
    if (done) done(fault);
    if (read) read(fault, {});
  }

  // A peer that is late may still be listening: close() can say last words.
  void give_up() {
    phase_ = Phase::given_up;
    ++turn_;
    timer_.cancel();
  }

  void shut() {
    phase_ = Phase::closed;
    ++turn_;
    looking_up_.reset();
    timer_.cancel();
    if (tls_) tls_->close();
    close_socket();
  }

  // Time.

  // The limit of what is under way. Moving it on costs nothing: the timer then finds that it is not
  // reached yet.
  void until(Clock::time_point limit) {
    limit_ = limit;
    if (timer_runs_ && timer_.expiry() <= limit) return;
    timer_runs_ = true;
    timer_.expires_at(limit);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (error || self->phase_ == Phase::closed) return;
      self->timer_runs_ = false;
      Clock::now() < self->limit_ ? self->until(self->limit_) : self->on_limit();
    });
  }

  void on_limit() {
    switch (phase_) {
      case Phase::idle:  // told with the next operation
        expired_ = true;
        return;
      case Phase::looking_up:
        return fail(
            {Event::no_address, ETIMEDOUT, "looking up " + host_ + ": no answer in time", true});
      case Phase::connecting:
        return address_failed(Event::connect_error, ETIMEDOUT);
      case Phase::handshaking:
        return fail(late(Event::tls_error, "TLS handshake with " + address_));
      case Phase::writing:
        return fail(late(Event::send_error, "sending to " + address_));
      case Phase::reading:
        return fail(late(Event::select_error, "waiting for " + awaited_ + " from " + address_));
      case Phase::given_up:
      case Phase::closed:
        return;
    }
  }

  static Fault late(Event event, const std::string& what) {
    return {event, ETIMEDOUT, what + ": no end in time", true};
  }

  // Connecting.

  void try_addresses(const Addresses& found) {
    looking_up_.reset();
    if (found.list.empty()) return fail({Event::no_address, found.error, found.reason});
    addresses_ = found.list;
    phase_ = Phase::connecting;
    try_next();
  }

  void try_next() {
    const std::string& text = addresses_[next_++];
    address_ = with_port(text, port_);
    const auto left = static_cast<Clock::rep>(addresses_.size() - next_ + 1);
    if (left > 1) {
      const auto now = Clock::now();
      until(now + (deadline_ - now) / left);
    } else {
      until(deadline_);
    }
    const SocketAddress where = socket_address(text, port_);
    fd_ = Fd(::socket(where.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd_) return address_failed(Event::socket_error, errno);
    // On this host the connection is there when the first call returns, but only a second says so.
    if (::connect(fd_.get(), where.get(), where.size) == 0) return connected();
    if (errno == EINPROGRESS && ::connect(fd_.get(), where.get(), where.size) == 0) {
      return connected();
    }
    if (errno != EINPROGRESS && errno != EALREADY) {
      return address_failed(Event::connect_error, errno);
    }
    wait(stream_descriptor::wait_write);
  }

  void after_connect() {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket(), SOL_SOCKET, SO_ERROR, &error, &size);
    error ? address_failed(Event::connect_error, error) : connected();
  }

  void connected() {
    connected_ = true;
    until(deadline_);
    succeed();
  }

  void address_failed(Event event, int error) {
    ++turn_;
    close_socket();
    failures_ += failures_.empty() ? "" : "; ";
    failures_ += (event == Event::socket_error ? "a socket for " : "connecting to ") + address_ +
                 ": " + errno_words(error);
    // What a server has answered counts for more than what this host lacked for its other address.
    if (!worst_ || event == Event::connect_error) worst_ = {event, error};
    if (next_ < addresses_.size() && Clock::now() < deadline_) return try_next();
    const bool timed_out = Clock::now() >= deadline_;
    fail({worst_->first, worst_->second, std::exchange(failures_, {}), timed_out});
  }

  // Sending and receiving, without TLS.

  // An errno; EAGAIN when the peer takes no more for now.
  int send_some() {
    while (sent_ < out_.size()) {
      const ssize_t n = ::send(socket(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
      if (n >= 0) {
        sent_ += static_cast<std::size_t>(n);
      } else if (errno != EINTR) {
        return errno;
      }
    }
    return 0;
  }

  void after_send(int error) {
    if (error == EAGAIN) return wait(stream_descriptor::wait_write);
    if (!error) return succeed();
    fail({Event::send_error, error, "sending to " + address_ + ": " + errno_words(error)});
  }

  void receive() {
    std::array<char, kMostAtOnce> buffer;
    const ssize_t n = ::recv(socket(), buffer.data(), buffer.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return wait(stream_descriptor::wait_read);
    if (n < 0) return fail(receive_fault(errno));
    more_has_come_ = static_cast<std::size_t>(n) == buffer.size();
    deliver({buffer.data(), static_cast<std::size_t>(n)});
  }

  void deliver(std::string_view bytes) {
    phase_ = Phase::idle;
    ++turn_;
    if (const Read read = std::exchange(read_, nullptr)) read(std::nullopt, bytes);
  }

  Fault receive_fault(int error) const {
    return {Event::recv_error, error,
            "reading " + awaited_ + " from " + address_ + ": " + errno_words(error)};
  }

  void discard_input() {
    std::array<char, kMostAtOnce> buffer;
    for (int i = 0; i < kLastReads; ++i) {
      if (::recv(socket(), buffer.data(), buffer.size(), MSG_DONTWAIT) <= 0) return;
    }
  }

  // With TLS.

  void write_tls(std::string bytes) {
    tls_->write(std::move(bytes), [self = shared_from_this()](const auto& problem) {
      if (!problem) return self->succeed();
      const std::string reason = "sending to " + self->address_ + ": " + problem->reason;
      self->fail({problem->error ? Event::send_error : Event::tls_error, problem->error, reason});
    });
  }

  void read_tls() {
    tls_->read([self = shared_from_this()](const auto& problem, std::string_view bytes) {
      if (!problem) return self->deliver(bytes);
      if (problem->error) return self->fail(self->receive_fault(problem->error));
      self->fail(
          {Event::tls_error, 0,
           "reading " + self->awaited_ + " from " + self->address_ + ": " + problem->reason});
    });
  }

  // Waiting.

  int socket() { return fd_ ? fd_.get() : watched_.native_handle(); }

  void close_socket() {
    fd_.close();
    error_code ignored;
    if (watched_.is_open()) watched_.close(ignored);
  }

  void wait(stream_descriptor::wait_type what) {
    if (fd_) {
      error_code error;
      watched_.assign(fd_.get(), error);
      if (error) return cannot_wait(error.value());
      static_cast<void>(fd_.release());
    }
    watched_.async_wait(what, [self = shared_from_this(), turn = turn_](error_code) {
      if (self->turn_ == turn) self->ready();
    });
  }

  void ready() {
    switch (phase_) {
      case Phase::connecting:
        return after_connect();
      case Phase::writing:
        return after_send(send_some());
      case Phase::reading:
        return receive();
      default:
        return;
    }
  }

  // No memory, or a limit of epoll's. From the loop, since wait() may be called by whoever reads.
  void cannot_wait(int error) {
    asio::defer(io_, [self = shared_from_this(), turn = turn_, error] {
      if (self->turn_ != turn) return;
      self->fail({Event::select_error, error,
                  "waiting for " + self->address_ + ": " + errno_words(error)});
    });
  }

  asio::io_context& io_;
  Resolver& resolver_;
  const Clock::time_point deadline_;
  Phase phase_ = Phase::idle;
  // Counts operations, and attempts within one: what was waited for in an earlier one is over.
  unsigned turn_ = 0;
  Done done_;
  Read read_;

  std::string host_;
  std::uint16_t port_ = 0;
  std::shared_ptr<void> looking_up_;
  std::vector<std::string> addresses_;
  std::size_t next_ = 0;
  std::string failures_;  // of the addresses that were tried
  std::optional<std::pair<Event, int>> worst_;
  std::string address_;
  bool connected_ = false;

  Fd fd_;                      // until something must be waited for;
  stream_descriptor watched_;  // from then on. With TLS neither
  std::unique_ptr<TlsSession> tls_;

  std::string out_;
  std::size_t sent_ = 0;
  std::string awaited_;
  bool answer_awaited_ = false;  // something was sent and nothing read since
  bool more_has_come_ = false;   // maybe, than was read

  asio::steady_timer timer_;
  bool timer_runs_ = false;
  Clock::time_point limit_{};
  bool expired_ = false;  // the deadline, while nothing was under way
};

Stream::Stream(asio::io_context& io, Resolver& resolver, Clock::time_point deadline)
    : impl_(std::make_shared<Impl>(io, resolver, deadline)) {}

Stream::~Stream() { impl_->close({}); }

void Stream::connect(const Server& server, Done done) { impl_->connect(server, std::move(done)); }

void Stream::start_tls(const TlsContext& context, const Server& server, Done done) {
  impl_->start_tls(context, server, std::move(done));
}

void Stream::write(std::string bytes, Done done) {
  impl_->write(std::move(bytes), std::move(done));
}

void Stream::read(std::string_view what, Read done) { impl_->read(what, std::move(done)); }

void Stream::close(std::string_view last_words) { impl_->close(last_words); }

const std::string& Stream::address() const { return impl_->address(); }

std::optional<int> Stream::certificate_days() const { return impl_->certificate_days(); }

}  // namespace genapp::monitor
