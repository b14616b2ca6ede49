#include "lbhc/responder.hpp"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
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
using Progress = HttpRequestReader::Progress;

// So many connections are accepted before the loop looks at its timers and other sockets again.
constexpr int kAcceptsPerTurn = 64;
// A flood must not keep the clock from being read: enough turns for a full backlog (4096), no more.
constexpr int kMostTurns = 64;
// Pause before trying again when not even one descriptor can be had.
constexpr auto kExhaustedPause = std::chrono::milliseconds(100);
// An answered connection is not watched but looked at: nearly every prober has closed by the first
// look, so that one read and one close are all that is left to do. To have the event loop watch
// each one would cost five more system calls a probe (bench/README.md), and memory that Asio keeps.
constexpr auto kFirstLook = std::chrono::milliseconds(2);
constexpr auto kNextLook = std::chrono::milliseconds(250);

// Half-closed; until its prober closes too.
struct Answered {
  common::Fd fd;
  Clock::time_point look_at;
  Clock::time_point end_at;
  std::size_t discarded = 0;
};

// A check of our own that is to come; see Responder::expect_own_probe.
struct OwnProbe {
  std::uint16_t port;
  Clock::time_point until;
};
constexpr auto kOwnProbeTime = std::chrono::seconds(5);
constexpr std::size_t kMostOwnProbes = 16;

// HTTP: until its request is complete. Watched by the event loop.
struct Waiting {
  explicit Waiting(asio::io_context& io) : socket(io) {}

  asio::posix::stream_descriptor socket;
  Clock::time_point deadline{};
  std::unique_ptr<HttpRequestReader> reader;
  bool abandoned = false;  // closed from outside; its handler has yet to be called
};

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
       std::function<void(const Address&)> on_probe, std::function<bool()> may_answer)
      : io_(io),
        listener_(io, listener.release()),
        config_(config),
        limits_(limits),
        on_probe_(std::move(on_probe)),
        may_answer_(std::move(may_answer)),
        sweep_timer_(io),
        pause_timer_(io) {}

  void start() { wait_for_connections(); }

  void accept_waiting() {
    for (int turn = 0; turn < kMostTurns && listener_.is_open(); ++turn) {
      if (!accept_some()) return;
    }
  }

  void expect_own_probe(std::uint16_t port) {
    if (own_probes_.size() >= kMostOwnProbes) own_probes_.pop_front();
    own_probes_.push_back({port, Clock::now() + kOwnProbeTime});
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
      serve(common::Fd(fd), peer);
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

  void serve(common::Fd fd, const sockaddr_storage& peer) {
    const Address source = Address::from_socket(peer);
    if (!may_answer_()) return reset(std::move(fd));
    const bool own = !own_probes_.empty() && take_own_probe(fd, source, port_of(peer));
    const bool allowed = own || config_.allow.allows(source);
    if (!allowed) {
      ++counters_.others;
      if (config_.others == Others::refuse) return reset(std::move(fd));
    }
    if (counters_.open >= limits_.connections) evict_oldest();
    if (allowed && !own) on_probe_(source);
    // on_probe_ may have ended everything (a failed start).
    if (stopped_) return;
    open_connection(std::move(fd));
  }

  // Whether it was announced; from another host nobody can come from that address.
  bool take_own_probe(const common::Fd& fd, const Address& source, std::uint16_t port) {
    const auto now = Clock::now();
    std::erase_if(own_probes_, [&](const OwnProbe& probe) { return probe.until < now; });
    const auto found = std::find_if(own_probes_.begin(), own_probes_.end(),
                                    [&](const OwnProbe& probe) { return probe.port == port; });
    if (found == own_probes_.end()) return false;
    sockaddr_storage here{};
    socklen_t length = sizeof here;
    const bool from_here =
        source.is_loopback() ||
        (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&here), &length) == 0 &&
         Address::from_socket(here) == source);
    if (from_here) own_probes_.erase(found);
    return from_here;
  }

  static void reset(common::Fd fd) {
    const linger at_once{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  void open_connection(common::Fd fd) {
    ++counters_.open;
    if (config_.protocol == Protocol::http) return read_first(std::move(fd));
    answer(std::move(fd), greeting_text(), true);
  }

  // Sends all that there is to say. When the prober is gone there is nothing to be polite to.
  void answer(common::Fd fd, const std::string& text, bool understood) {
    const bool sent = send_and_half_close(fd.get(), text);
    ++(sent && understood ? counters_.answered : counters_.undelivered);
    if (!sent) return drop(std::move(fd));
    const auto now = Clock::now();
    answered_.push_back({std::move(fd), now + kFirstLook, now + limits_.linger_time});
    sweep_by(answered_.back().look_at);
  }

  void drop(common::Fd fd) {
    fd.close();
    --counters_.open;
  }

  const std::string& greeting_text() {
    if (!greeting_ || greeting_draining_ != draining_) {
      greeting_ = greeting(config_.protocol, config_.message, draining_);
      greeting_draining_ = draining_;
    }
    return *greeting_;
  }

  // The reply fits a fresh socket's buffer (kMostMessageBytes), so a short write means trouble.
  // MSG_MORE: reply and FIN leave in one packet.
  static bool send_and_half_close(int fd, const std::string& text) {
    constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE;
    const bool sent = text.empty() || ::send(fd, text.data(), text.size(), kFlags) ==
                                          static_cast<ssize_t>(text.size());
    return sent && ::shutdown(fd, SHUT_WR) == 0;
  }

  // Reads what is there now: nothing when nothing is, 0 at the end or when the prober is gone.
  std::optional<std::size_t> read_now(int fd) {
    const ssize_t size = ::recv(fd, scratch_.data(), scratch_.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    return size < 0 ? 0 : static_cast<std::size_t>(size);
  }

  // HTTP. Often the request is there as soon as the connection is.
  void read_first(common::Fd fd) {
    const auto size = read_now(fd.get());
    if (size == 0) {
      ++counters_.undelivered;
      return drop(std::move(fd));
    }
    const std::string_view bytes(scratch_.data(), size.value_or(0));
    if (size && bytes == known_bytes_) return answer_request(std::move(fd), known_request_);
    auto reader = std::make_unique<HttpRequestReader>();
    const auto progress = size ? reader->put(bytes.data(), bytes.size()) : Progress::more;
    if (progress == Progress::more) return wait_for_request(std::move(fd), std::move(reader));
    if (progress != Progress::complete) return refuse_request(std::move(fd), progress);
    known_bytes_ = bytes;
    known_request_ = reader->request();
    answer_request(std::move(fd), known_request_);
  }

  void answer_request(common::Fd fd, const HttpRequest& request) {
    const auto now = common::WallClock::now();
    answer(std::move(fd), replies_.reply(request, config_.message, draining_, now), true);
  }

  void refuse_request(common::Fd fd, Progress progress) {
    answer(std::move(fd), http_refusal(progress, common::WallClock::now()), false);
  }

  void wait_for_request(common::Fd fd, std::unique_ptr<HttpRequestReader> reader) {
    waiting_.emplace_back(io_);
    const auto connection = std::prev(waiting_.end());
    error_code error;
    connection->socket.assign(fd.get(), error);
    if (error) {
      ++counters_.undelivered;
      waiting_.pop_back();
      return drop(std::move(fd));
    }
    fd.release();
    connection->deadline = Clock::now() + limits_.request_time;
    connection->reader = std::move(reader);
    sweep_by(connection->deadline);
    wait_for_more(connection);
  }

  // Waits only: Asio may read for many connections before the first of them is told, so they could
  // not share a buffer.
  void wait_for_more(std::list<Waiting>::iterator connection) {
    connection->socket.async_wait(asio::posix::stream_descriptor::wait_read,
                                  [this, connection](error_code error) {
                                    if (connection->abandoned) {
                                      abandoned_.erase(connection);
                                    } else {
                                      read_more(connection, !error);
                                    }
                                  });
  }

  void read_more(std::list<Waiting>::iterator connection, bool may_read) {
    const auto size = may_read ? read_now(connection->socket.native_handle()) : 0;
    if (!size) return wait_for_more(connection);
    const auto progress =
        *size > 0 ? connection->reader->put(scratch_.data(), *size) : Progress::bad;
    if (progress == Progress::more) return wait_for_more(connection);
    const auto reader = std::move(connection->reader);
    common::Fd fd(connection->socket.release());
    waiting_.erase(connection);
    if (!may_answer_()) {
      --counters_.open;
      return reset(std::move(fd));
    }
    if (progress == Progress::complete) return answer_request(std::move(fd), reader->request());
    if (*size > 0) return refuse_request(std::move(fd), progress);
    ++counters_.undelivered;
    drop(std::move(fd));
  }

  // Its wait is still to be told of, perhaps as a success, and needs the object.
  void abandon_oldest_waiting() {
    const auto connection = waiting_.begin();
    error_code ignored;
    connection->socket.close(ignored);
    connection->abandoned = true;
    abandoned_.splice(abandoned_.end(), waiting_, connection);
    ++counters_.undelivered;
    --counters_.open;
  }

  // The times in each list are in order, since each list has one length of time.
  void sweep_by(Clock::time_point when) {
    if (sweep_at_ && *sweep_at_ <= when) return;
    sweep_at_ = when;
    sweep_timer_.expires_at(when);
    sweep_timer_.async_wait([this](error_code cancelled) {
      if (!cancelled) sweep();
    });
  }

  void sweep() {
    sweep_at_.reset();
    const auto now = Clock::now();
    for (auto* list : {&answered_, &lingering_}) {
      while (!list->empty() && list->front().look_at <= now) look_at_first(*list, now);
      // Many at once, instead of each at its very moment.
      if (!list->empty()) sweep_by(std::max(list->front().look_at, now + kFirstLook));
    }
    while (!waiting_.empty() && waiting_.front().deadline <= now) abandon_oldest_waiting();
    if (!waiting_.empty()) sweep_by(waiting_.front().deadline);
  }

  // Reads to the end, so that close() finds nothing unread and sends no RST.
  void look_at_first(std::deque<Answered>& list, Clock::time_point now) {
    Answered connection = std::move(list.front());
    list.pop_front();
    while (const auto size = read_now(connection.fd.get())) {
      connection.discarded += *size;
      if (*size == 0 || connection.discarded > limits_.discarded_bytes) {
        return drop(std::move(connection.fd));
      }
    }
    if (connection.end_at <= now) return drop(std::move(connection.fd));
    connection.look_at = now + kNextLook;
    lingering_.push_back(std::move(connection));
  }

  // In favour of a new one: those that have their answer go first, the oldest of them first.
  bool evict_oldest() {
    for (auto* list : {&lingering_, &answered_}) {
      if (list->empty()) continue;
      drop(std::move(list->front().fd));
      list->pop_front();
      return true;
    }
    if (waiting_.empty()) return false;
    abandon_oldest_waiting();
    return true;
  }

  asio::io_context& io_;
  asio::posix::stream_descriptor listener_;
  const Config& config_;
  const ResponderLimits limits_;
  std::function<void(const Address&)> on_probe_;
  std::function<bool()> may_answer_;
  std::deque<OwnProbe> own_probes_;
  asio::steady_timer sweep_timer_;
  std::optional<Clock::time_point> sweep_at_;  // nothing while it is not armed
  asio::steady_timer pause_timer_;
  std::list<Waiting> waiting_;  // by deadline
  std::list<Waiting> abandoned_;
  std::deque<Answered> answered_;   // a moment ago; by look_at
  std::deque<Answered> lingering_;  // the prober takes its time; by look_at
  Counters counters_;
  std::array<char, 4096> scratch_{};
  // The last request that came in one piece: a load balancer's probes are all alike, and to read
  // one again costs more than to compare it.
  std::string known_bytes_;
  HttpRequest known_request_;
  HttpReplies replies_;
  std::optional<std::string> greeting_;
  bool greeting_draining_ = false;
  bool draining_ = false;
  bool stopped_ = false;
  bool exhausted_ = false;  // told in the log
  bool paused_ = false;     // waits for the pause to end
  bool listening_ = false;  // waits for connections
};

Responder::Responder(asio::io_context& io, common::Fd listener, const Config& config,
                     ResponderLimits limits, std::function<void(const Address&)> on_probe,
                     std::function<bool()> may_answer)
    : impl_(std::make_unique<Impl>(io, std::move(listener), config, limits, std::move(on_probe),
                                   std::move(may_answer))) {}
Responder::~Responder() = default;
void Responder::start() { impl_->start(); }
void Responder::accept_waiting() { impl_->accept_waiting(); }
void Responder::expect_own_probe(std::uint16_t port) { impl_->expect_own_probe(port); }
void Responder::drain() { impl_->drain(); }
void Responder::stop() { impl_->stop(); }
const Counters& Responder::counters() const { return impl_->counters(); }

}  // namespace genapp::lbhc
