#include "remote/appserver/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>
#include <optional>
#include <utility>

#include "common/clock.hpp"
#include "common/log.hpp"
#include "common/printable.hpp"
#include "remote/message.hpp"

namespace genapp::remote {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace log = common::log;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using common::Clock;

constexpr std::size_t kMostHeaderBytes = 8 * 1024;
// A manager that asks and does not read what it is answered is not read from either.
constexpr std::size_t kMostUnsentBytes = 4 * 1024 * 1024;
constexpr std::size_t kKeptBytes = 4096;
constexpr int kMostRests = 32;
constexpr int kWarnDays = 30;  // of a certificate that is about to expire

using Stream = websocket::stream<beast::ssl_stream<tcp::socket>>;

class Impl final : public Connection, public Viewer, public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(Setup setup)
      : setup_(std::move(setup)),
        socket_(setup_.io),
        handshake_timer_(setup_.io),
        silence_timer_(setup_.io) {}

  void begin() {
    error_code error;
    socket_.assign(setup_.ipv6 ? tcp::v6() : tcp::v4(), setup_.socket.get(), error);
    if (error) return fail("waiting for it", error);
    static_cast<void>(setup_.socket.release());
    handshake_timer_.expires_after(setup_.config.handshake_timeout);
    handshake_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->too_slow();
    });
    // Nothing is spent on one that says nothing.
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code failed) {
      if (!self->over_ && !failed) self->start_tls();
    });
  }

  void drop() override {
    const auto self = shared_from_this();
    error_code ignored;
    if (stream_) beast::get_lowest_layer(*stream_).close(ignored);
    socket_.close(ignored);
    end();
  }

  void close() override { close_with({websocket::close_code::going_away, "the appserver ends"}); }

  // Viewer.

  bool here() const override { return !over_ && !closing_; }
  void show_output(std::string_view message) override { put({Kind::binary, std::string(message)}); }
  void show(const Answer& event) override { put({Kind::text, format_answer(event)}); }
  void replaced() override {
    log::info(who() + ": is replaced by a newer connection of the same manager");
    close_with({static_cast<websocket::close_code>(kCloseReplaced), "replaced"});
  }

 private:
  enum class Kind { text, binary };
  struct Message {
    Kind kind;
    std::string bytes;
  };

  std::string who() const { return asker_.certificate + " at " + setup_.from; }

  void fail(const std::string& what, const error_code& error) {
    if (over_) return;
    setup_.trouble(setup_.from + ": " + what + ": " + error.message());
    drop();
  }

  void too_slow() {
    if (over_ || open_) return;
    setup_.trouble(setup_.from + ": has not finished its handshake in " +
                   std::to_string(setup_.config.handshake_timeout.count()) +
                   " seconds (handshake_timeout)");
    drop();
  }

  void end() {
    if (std::exchange(over_, true)) return;
    handshake_timer_.cancel();
    silence_timer_.cancel();
    setup_.sessions.leave(*this);
    if (open_) log::info(who() + ": the connection has ended");
    setup_.gone(*this);
  }

  // Becoming known.

  void start_tls() {
    tls_ = setup_.keys.current();
    // Small messages in a row; none may wait for the one before to be confirmed.
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    stream_.emplace(std::move(socket_), tls_->get());
    stream_->next_layer().async_handshake(
        asio::ssl::stream_base::server, [self = shared_from_this()](error_code error) {
          if (self->over_) return;
          if (!error) return self->read_upgrade();
          self->setup_.trouble(self->setup_.from + ": TLS: " +
                               tls_problem(error, self->stream_->next_layer().native_handle()));
          self->let_it_read();
        });
  }

  // It is told by TLS why it is refused. Closing at once would reset the connection where it has
  // said more than was read, and the reset would overtake that. handshake_timeout ends it.
  void let_it_read() {
    error_code error;
    auto& socket = beast::get_lowest_layer(*stream_);
    socket.shutdown(tcp::socket::shutdown_send, error);
    if (error) return drop();
    read_the_rest(kMostRests);
  }

  void read_the_rest(int reads) {
    auto& socket = beast::get_lowest_layer(*stream_);
    socket.async_read_some(rest_,
                           [self = shared_from_this(), reads](error_code error, std::size_t) {
                             if (self->over_) return;
                             if (error || reads == 0) return self->drop();
                             self->read_the_rest(reads - 1);
                           });
  }

  void read_upgrade() {
    SSL* const session = stream_->next_layer().native_handle();
    asker_ = {peer_name(session), setup_.from};
    if (asker_.certificate.empty()) {
      setup_.trouble(setup_.from + ": its certificate has no common name");
      return drop();
    }
    asker_.certificate = common::printable(asker_.certificate);
    const auto days = peer_days_left(session);
    if (days && *days < kWarnDays) setup_.expires(asker_.certificate, *days);
    parser_.emplace();
    parser_->header_limit(kMostHeaderBytes);
    parser_->body_limit(0);
    http::async_read_header(stream_->next_layer(), in_, *parser_,
                            [self = shared_from_this()](error_code error, std::size_t) {
                              if (self->over_) return;
                              if (error) return self->fail("reading its request", error);
                              self->upgrade();
                            });
  }

  void upgrade() {
    in_.clear();  // a client may not say more before it is answered
    const auto& request = parser_->get();
    if (!websocket::is_upgrade(request)) {
      return answer_http(http::status::upgrade_required, "this is a WebSocket's place");
    }
    if (request.target() != kTarget) {
      return answer_http(http::status::not_found, std::string("there is only ") + kTarget);
    }
    http::token_list offered(request[http::field::sec_websocket_protocol]);
    if (!offered.exists(kSubprotocol)) {
      return answer_http(http::status::bad_request,
                         std::string("the protocol spoken here is ") + kSubprotocol);
    }
    if (!setup_.known(*this)) {
      setup_.trouble(who() + ": there are too many connections (max_connections)");
      return answer_http(http::status::service_unavailable, "there are too many connections");
    }
    stream_->set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(http::field::server, "genapp appserver " GENAPP_VERSION);
      response.set(http::field::sec_websocket_protocol, kSubprotocol);
    }));
    stream_->read_message_max(kMostMessageBytes);
    stream_->auto_fragment(false);
    // Its own idle time-out could not be changed while it runs: look_for_silence().
    websocket::stream_base::timeout rule{};
    rule.handshake_timeout = setup_.config.handshake_timeout;
    rule.idle_timeout = websocket::stream_base::none();
    stream_->set_option(rule);
    stream_->control_callback([this](websocket::frame_type, beast::string_view) { heard(); });
    stream_->async_accept(request, [self = shared_from_this()](error_code error) {
      if (self->over_) return;
      if (error) return self->fail("the WebSocket's handshake", error);
      self->opened();
    });
  }

  // Of what is no manager: what it wanted is told, then it goes.
  void answer_http(http::status status, const std::string& text) {
    setup_.trouble(who() + ": " + text);
    auto response = std::make_shared<http::response<http::string_body>>(status, 11);
    response->set(http::field::content_type, "text/plain");
    response->set(http::field::connection, "close");
    response->body() = text + "\n";
    response->prepare_payload();
    http::async_write(
        stream_->next_layer(), *response,
        [self = shared_from_this(), response](error_code, std::size_t) {
          if (self->over_) return;
          self->stream_->next_layer().async_shutdown([self](error_code) { self->drop(); });
        });
  }

  void opened() {
    open_ = true;
    handshake_timer_.cancel();
    parser_.reset();
    log::info(who() + ": connected");
    heard();
    set_timeout(setup_.config.timeout);
    show(Hello{kProtocolVersion, "genapp appserver " GENAPP_VERSION, asker_.certificate});
    read();
  }

  // Silence.

  void heard() { heard_ = Clock::now(); }

  void set_timeout(std::chrono::seconds timeout) {
    timeout_ = timeout;
    look_for_silence();
  }

  // A manager that is silent is pinged at half of its time, so that only one that is gone is silent
  // for all of it.
  void look_for_silence() {
    const auto now = Clock::now();
    const auto silent = now - heard_;
    if (silent >= timeout_) {
      log::warn(who() + ": has been silent for too long");
      return drop();
    }
    const auto half = timeout_ / 2;
    if (silent >= half) ping();
    silence_timer_.expires_at(heard_ + (silent >= half ? Clock::duration(timeout_) : half));
    silence_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled && !self->over_) self->look_for_silence();
    });
  }

  void ping() {
    if (std::exchange(pinging_, true)) return;
    stream_->async_ping({}, [self = shared_from_this()](error_code) { self->pinging_ = false; });
  }

  // Reading.

  void read() {
    if (reading_ || over_) return;
    reading_ = true;
    stream_->async_read(in_, [self = shared_from_this()](error_code error, std::size_t) {
      self->reading_ = false;
      if (self->over_) return;
      if (error) return self->read_failed(error);
      self->heard();
      self->take();
    });
  }

  void read_failed(const error_code& error) {
    // As a rule it has just gone.
    if (error != websocket::error::closed) log::debug(who() + ": " + error.message());
    drop();
  }

  void take() {
    const auto data = in_.cdata();
    const std::string text(static_cast<const char*>(data.data()), data.size());
    in_.clear();
    if (in_.capacity() > kKeptBytes) in_.shrink_to_fit();  // most are idle from here on
    if (!stream_->got_text()) return protocol_error("a binary message");
    std::optional<NumberedRequest> request;
    try {
      request = parse_request(text);
    } catch (const BadMessage& problem) {
      refuse(problem);
    }
    if (request) ask(*request);
    if (unsent_ < kMostUnsentBytes) read();
  }

  void ask(const NumberedRequest& request) {
    setup_.sessions.ask(
        asker_, request, *this, [this](std::chrono::seconds timeout) { set_timeout(timeout); },
        [self = shared_from_this()](const Reply& reply) {
          if (self->here()) self->show(reply);
        });
  }

  void refuse(const BadMessage& problem) {
    log::warn(who() + ": a request that is none: " + problem.what());
    Reply reply;
    reply.ref = problem.ref;
    reply.refusal = Refusal::bad_request;
    reply.text = problem.what();
    show(reply);
  }

  void protocol_error(const std::string& what) {
    log::warn(who() + ": sent " + what);
    close_with({websocket::close_code::unknown_data, what});
  }

  // Writing.

  void put(Message message) {
    if (over_ || closing_) return;
    unsent_ += message.bytes.size();
    out_.push_back(std::move(message));
    if (out_.size() == 1) write();
  }

  void write() {
    stream_->text(out_.front().kind == Kind::text);
    stream_->async_write(
        asio::buffer(out_.front().bytes),
        [self = shared_from_this()](error_code error, std::size_t) { self->written(error); });
  }

  void written(const error_code& error) {
    if (over_) return;
    if (error) {
      log::debug(who() + ": " + error.message());
      return drop();
    }
    unsent_ -= out_.front().bytes.size();
    out_.pop_front();
    if (!out_.empty()) {
      write();
    } else if (closing_) {
      send_close();
    }
    if (unsent_ < kMostUnsentBytes) read();
  }

  // What was to be written before is.
  void close_with(const websocket::close_reason& reason) {
    if (over_ || std::exchange(closing_, true)) return;
    setup_.sessions.leave(*this);
    if (!open_) return drop();
    reason_ = reason;
    if (out_.empty()) send_close();
  }

  void send_close() {
    stream_->async_close(reason_, [self = shared_from_this()](error_code) {
      if (!self->over_) self->drop();
    });
  }

  Setup setup_;
  tcp::socket socket_;  // until TLS takes it
  asio::steady_timer handshake_timer_;
  asio::steady_timer silence_timer_;
  std::chrono::seconds timeout_{};
  Clock::time_point heard_{};
  bool pinging_ = false;
  std::shared_ptr<TlsContext> tls_;
  std::optional<Stream> stream_;
  beast::flat_buffer in_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  Asker asker_;

  // Of one that is sent away, and of no use.
  std::array<char, 512> rest_bytes_{};
  asio::mutable_buffer rest_ = asio::buffer(rest_bytes_);

  std::deque<Message> out_;
  std::size_t unsent_ = 0;
  websocket::close_reason reason_;
  bool reading_ = false;
  bool open_ = false;
  bool closing_ = false;
  bool over_ = false;
};

}  // namespace

std::shared_ptr<Connection> Connection::begin(Setup setup) {
  const auto connection = std::make_shared<Impl>(std::move(setup));
  connection->begin();
  return connection;
}

}  // namespace genapp::remote
