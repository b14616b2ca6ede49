#include "agent/web/page_server.hpp"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "agent/web/http.hpp"
#include "agent/web/page_file.hpp"
#include "common/error.hpp"
#include "common/fd.hpp"
#include "common/prometheus.hpp"

namespace genapp::agent {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using common::Fd;

constexpr int kBacklog = 64;
constexpr std::uint32_t kMostHeaderBytes = 8192;
constexpr auto kExhaustedPause = std::chrono::milliseconds(100);
// What was sent without being read would make the kernel reset the connection, and our answer may
// be lost with it: it is read away for so long.
constexpr auto kDrainTime = std::chrono::seconds(1);
constexpr std::size_t kMostNoticesAtOnce = 200;     // in a stream's batch
constexpr std::size_t kMostNoticesAsked = 1000;     // of /api/events
constexpr std::uint64_t kNoticesForNewcomer = 300;  // of a stream

using Request = http::request<http::empty_body>;

std::string_view view_of(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string_view content_type(std::string_view name) {
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  return "text/html; charset=utf-8";
}

std::string whole_answer(std::string_view status, std::string_view type, std::string_view body,
                         std::string_view more = {}) {
  std::string lines = "Content-Length: " + std::to_string(body.size()) + "\r\n";
  lines.append(more);
  return answer_head(status, type, lines).append(body);
}

std::string refusal(std::string_view status, std::string_view why, std::string_view more = {}) {
  return whole_answer(status, "text/plain; charset=utf-8", std::string(why) + "\n", more);
}

// Why a request is refused before its path is looked at; empty: it is not.
std::string refusal_of(const Request& request) {
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    return refusal("405 Method Not Allowed", "Only GET and HEAD: nothing can be changed here.",
                   "Allow: GET, HEAD\r\n");
  }
  if (request.count(http::field::host) != 1 || request.count(http::field::content_length) != 0 ||
      request.count(http::field::transfer_encoding) != 0) {
    return refusal("400 Bad Request", "One Host and no body are expected.");
  }
  if (!is_own_host(view_of(request[http::field::host]))) {
    return refusal("421 Misdirected Request",
                   "Ask by address, or for localhost: names are not answered.");
  }
  // Another site's page can't read our answers; nor shall it use our connections up.
  if (request["Sec-Fetch-Site"] == "cross-site" && request["Sec-Fetch-Mode"] != "navigate") {
    return refusal("403 Forbidden", "Not for other sites' pages.");
  }
  return {};
}

std::string events_answer(const PageData& data, std::string_view target) {
  std::string array = "[";
  for (const auto& told :
       data.notices(number_or_zero(query_value(target, "after")), kMostNoticesAsked)) {
    if (array.size() > 1) array += ',';
    array += told.json;
  }
  return whole_answer("200 OK", "application/json", array + "]\n");
}

std::string answer_for(const PageData& data, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/api/status") {
    const Past past = query_value(target, "past") == "1" ? Past::included : Past::left_out;
    return whole_answer("200 OK", "application/json", data.status(past));
  }
  if (path == "/api/events") return events_answer(data, target);
  if (path == "/metrics") {
    return whole_answer("200 OK", common::PrometheusText::kContentType, data.metrics());
  }
  // A client may leave the slash out, and all that follows it.
  const std::string_view name = path == "/" ? "/index.html" : path;
  for (const PageFile& file : page_files()) {
    if (name.starts_with('/') && name.substr(1) == file.name) {
      return whole_answer("200 OK", content_type(file.name), file.bytes);
    }
  }
  return refusal("404 Not Found", "There is no such page.");
}

// The number of the notice that a stream goes on after: the one that it was told last, where there
// is one of that number and time. Else that is an earlier life's, of before the machine was
// started, or it was told none: it is a newcomer.
std::uint64_t told_before(const PageData& data, std::string_view event_id) {
  const auto at = std::min(event_id.find('@'), event_id.size());
  const std::uint64_t number = number_or_zero(event_id.substr(0, at));
  if (number > 0) {
    const auto there = data.notices(number - 1, 1);
    const bool same = !there.empty() && there.front().number == number &&
                      "@" + there.front().time == event_id.substr(at);
    if (same) return number;
  }
  const std::uint64_t last = data.last_notice();
  return last - std::min(last, kNoticesForNewcomer);
}

Fd listen_on(const PageAddress& address, const std::string& text) {
  const std::string what = "the status page's address " + text;
  const tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
  Fd fd(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw common::system_error(what, errno);
  // So that the next agent is not kept from it by connections that have ended.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    throw common::system_error(what, errno);
  }
  return fd;
}

tcp::endpoint endpoint_of(int fd) {
  tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(fd, endpoint.data(), &size) != 0) {
    throw common::system_error("the status page's socket", errno);
  }
  endpoint.resize(size);
  return endpoint;
}

// What all connections share. Held by each, since their handlers may outlive the server.
struct Shared {
  PageData data;
  PageServer::Limits limits;
  std::size_t connections = 0;
  std::size_t streams = 0;
  std::size_t held = 0;  // bytes of answers that are on their way
  std::function<void()> one_ended{};
  std::function<void()> stream_begun{};
};

// One client: a request, and an answer or a stream. Owns itself through its handlers.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<Shared> shared)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), shared_(std::move(shared)) {
    ++shared_->connections;
    parser_.header_limit(kMostHeaderBytes);
  }
  ~Connection() {
    --shared_->connections;
    shared_->held -= held_;
    if (streams_) --shared_->streams;
    if (shared_->one_ended) shared_->one_ended();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start() {
    limit(shared_->limits.request);
    read_request();
  }

  void close() {
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
  }

  // Of a stream: what is new is sent, unless the last batch is still on its way.
  void pump();

 private:
  void limit(std::chrono::milliseconds time);
  void read_request();
  void take(std::size_t size);
  void answer(const Request& request);
  void hold(std::string& text);
  void send_answer(std::string text, bool head_only);
  void drain();

  void begin_stream(const Request& request);
  void watch_for_end();
  void add_notices(std::string& batch);
  void add_status(std::string& batch);

  tcp::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<Shared> shared_;
  std::array<char, 2048> buffer_{};
  std::string unread_{};  // of the request
  http::request_parser<http::empty_body> parser_{};
  std::string sending_{};
  std::size_t held_ = 0;  // of Shared's

  // Of a stream.
  bool streams_ = false;
  bool busy_ = false;  // `sending_` is on its way
  bool more_ = false;  // status is to go on at once
  std::uint64_t version_ = 0;
  std::uint64_t read_ = 0;     // of the status
  std::uint64_t noticed_ = 0;  // the last notice sent
  common::Clock::time_point sent_{};
};

void Connection::limit(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    if (const auto self = weak.lock(); self && !cancelled) self->close();
  });
}

void Connection::read_request() {
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            if (!error) self->take(size);
                          });
}

void Connection::take(std::size_t size) {
  if (!socket_.is_open()) return;  // closed meanwhile
  unread_.append(buffer_.data(), size);
  error_code error;
  const std::size_t used = parser_.put(asio::buffer(unread_), error);
  unread_.erase(0, used);
  if (error == http::error::need_more) error = {};
  if (error == http::error::header_limit || unread_.size() > kMostHeaderBytes) {
    return send_answer(refusal("431 Request Header Fields Too Large", "Too long."), false);
  }
  // A body is not waited for: there is none to be taken.
  if (parser_.is_header_done()) return answer(parser_.get());
  if (error) return send_answer(refusal("400 Bad Request", "This is no HTTP request."), false);
  read_request();
}

void Connection::answer(const Request& request) {
  const bool head_only = request.method() == http::verb::head;
  if (std::string no = refusal_of(request); !no.empty()) return send_answer(no, head_only);
  const std::string_view target = view_of(request.target());
  if (target.substr(0, target.find('?')) != "/events") {
    std::string text = answer_for(shared_->data, target);
    hold(text);
    return send_answer(std::move(text), head_only);
  }
  if (head_only) return send_answer(answer_head("200 OK", "text/event-stream"), true);
  if (shared_->streams >= shared_->limits.streams) {
    return send_answer(
        refusal("503 Service Unavailable", "Too many pages are open.", "Retry-After: 10\r\n"),
        false);
  }
  begin_stream(request);
}

// Who asks again and again and reads nothing would have an answer kept for each time.
void Connection::hold(std::string& text) {
  if (shared_->held > 0 && shared_->held + text.size() > shared_->limits.held) {
    text = refusal("503 Service Unavailable", "Too much waits to be read by others.",
                   "Retry-After: 10\r\n");
  }
  held_ = text.size();
  shared_->held += held_;
}

void Connection::send_answer(std::string text, bool head_only) {
  sending_ = std::move(text);
  if (head_only) sending_.resize(sending_.find("\r\n\r\n") + 4);
  limit(shared_->limits.taking);
  asio::async_write(socket_, asio::buffer(sending_),
                    [self = shared_from_this()](error_code error, std::size_t) {
                      if (error) return self->close();
                      self->socket_.shutdown(tcp::socket::shutdown_send, error);
                      self->limit(kDrainTime);
                      self->drain();
                    });
}

void Connection::drain() {
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this()](error_code error, std::size_t) {
                            return error ? self->close() : self->drain();
                          });
}

void Connection::begin_stream(const Request& request) {
  ++shared_->streams;
  streams_ = true;
  noticed_ = told_before(shared_->data, view_of(request["Last-Event-ID"]));
  more_ = true;
  sending_ = answer_head("200 OK", "text/event-stream") + "retry: 2000\n\n";
  watch_for_end();
  pump();
  shared_->stream_begun();
}

// Nothing more is expected from the client but its end. This read is what keeps the stream.
void Connection::watch_for_end() {
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this()](error_code, std::size_t) { self->close(); });
}

void Connection::add_notices(std::string& batch) {
  for (const auto& told : shared_->data.notices(noticed_, kMostNoticesAtOnce)) {
    noticed_ = told.number;
    batch.append("id: ").append(std::to_string(told.number)).append("@").append(told.time);
    batch.append("\nevent: notice\ndata: ").append(told.json).append("\n\n");
  }
}

void Connection::add_status(std::string& batch) {
  const std::uint64_t version = shared_->data.version();
  if (!more_ && version == version_) return;
  version_ = version;
  const StatusFeed::Part part = shared_->data.news(read_);
  read_ = part.read;
  more_ = part.more;
  if (!part.json.empty()) batch.append("event: status\ndata: ").append(part.json).append("\n\n");
}

void Connection::pump() {
  if (!streams_ || busy_ || !socket_.is_open()) return;
  add_status(sending_);
  add_notices(sending_);
  const auto now = common::Clock::now();
  if (sending_.empty() && now - sent_ < shared_->limits.alive) return;
  if (sending_.empty()) sending_ = "event: alive\ndata: \n\n";
  sent_ = now;
  busy_ = true;
  limit(shared_->limits.taking);
  asio::async_write(socket_, asio::buffer(sending_),
                    [self = shared_from_this()](error_code error, std::size_t) {
                      if (error) return self->close();
                      self->timer_.cancel();
                      self->sending_.clear();
                      self->busy_ = false;
                      if (self->more_) self->pump();
                    });
}

}  // namespace

class PageServer::Impl : public std::enable_shared_from_this<PageServer::Impl> {
 public:
  Impl(asio::io_context& io, const std::string& address, PageData data, const Limits& limits)
      : io_(io),
        listener_(io, listen_on(parse_page_address(address), address).release()),
        endpoint_(endpoint_of(listener_.native_handle())),
        pause_(io),
        news_(io),
        shared_(std::make_shared<Shared>()) {
    shared_->data = std::move(data);
    shared_->limits = limits;
  }

  void start() {
    shared_->one_ended = [this] { resume(); };
    shared_->stream_begun = [this] { wait_for_news(); };
    wait();
  }

  void stop() {
    shared_->one_ended = nullptr;
    shared_->stream_begun = [] {};
    error_code ignored;
    listener_.close(ignored);
    pause_.cancel();
    news_.cancel();
    for_each_connection([](Connection& one) { one.close(); });
  }

  std::uint16_t port() const { return endpoint_.port(); }

 private:
  void wait() {
    waiting_ = true;
    listener_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [weak = weak_from_this()](error_code error) {
                           const auto self = weak.lock();
                           if (!self) return;
                           self->waiting_ = false;
                           if (!error && self->listener_.is_open()) self->accept_all();
                         });
  }

  // Until none is left, there are enough connections, or the system has no descriptor left.
  void accept_all() {
    while (shared_->connections < shared_->limits.connections) {
      Fd fd(::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (!fd) return errno == EAGAIN ? wait() : pause();
      tcp::socket socket(io_);
      error_code no_room;  // in epoll: the one client is turned away
      socket.assign(endpoint_.protocol(), fd.get(), no_room);
      if (no_room) continue;
      fd.release();
      const auto connection = std::make_shared<Connection>(std::move(socket), shared_);
      std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
      connections_.push_back(connection);
      connection->start();
    }
  }

  // Out of descriptors; trying again at once would spin.
  void pause() {
    pause_.expires_after(kExhaustedPause);
    pause_.async_wait([weak = weak_from_this()](error_code cancelled) {
      if (const auto self = weak.lock(); self && !cancelled) self->resume();
    });
  }

  void resume() {
    if (listener_.is_open() && !waiting_) wait();
  }

  // While a page is open; else the agent need not wake for it.
  void wait_for_news() {
    if (waiting_for_news_ || shared_->streams == 0) return;
    waiting_for_news_ = true;
    news_.expires_after(shared_->limits.news);
    news_.async_wait([weak = weak_from_this()](error_code cancelled) {
      const auto self = weak.lock();
      if (!self || cancelled) return;
      self->waiting_for_news_ = false;
      self->for_each_connection([](Connection& one) { one.pump(); });
      self->wait_for_news();
    });
  }

  template <typename Do>
  void for_each_connection(Do act) {
    // One that ends meanwhile changes nothing here: it is held.
    for (const auto& weak : connections_) {
      if (const auto connection = weak.lock()) act(*connection);
    }
  }

  asio::io_context& io_;
  asio::posix::stream_descriptor listener_;
  tcp::endpoint endpoint_;
  asio::steady_timer pause_;
  asio::steady_timer news_;
  std::shared_ptr<Shared> shared_;
  std::vector<std::weak_ptr<Connection>> connections_{};
  bool waiting_ = false;
  bool waiting_for_news_ = false;
};

PageServer::PageServer(asio::io_context& io, const std::string& address, PageData data)
    : PageServer(io, address, std::move(data), Limits{}) {}
PageServer::PageServer(asio::io_context& io, const std::string& address, PageData data,
                       const Limits& limits)
    : impl_(std::make_shared<Impl>(io, address, std::move(data), limits)) {
  impl_->start();
}
PageServer::~PageServer() { stop(); }
std::uint16_t PageServer::port() const { return impl_->port(); }
void PageServer::stop() { impl_->stop(); }

}  // namespace genapp::agent
