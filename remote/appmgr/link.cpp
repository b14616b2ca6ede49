#include "remote/appmgr/link.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::remote {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using common::Clock;

// So many addresses of a name are tried; more would leave each no time to answer.
constexpr std::size_t kMostAddresses = 8;
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kWarnDays = 30;  // of a certificate that is about to expire

using Stream = websocket::stream<beast::ssl_stream<tcp::socket>>;

std::string text_of(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  const std::string text = address.to_string();
  return (address.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(endpoint.port());
}

std::string words(const error_code& error) {
  if (error.category() == boost::system::system_category()) {
    return common::errno_text(error.value());
  }
  return common::printable(error.message());
}

// The appserver's verdict about our certificate (RFC 8446, 6.2).
bool is_verdict(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

// Whether it is a word of the same vocabulary.
template <typename Word>
bool is_of(const error_code& error, Word word) {
  return error.category() == make_error_code(word).category();
}

// What an error of a TLS connection means for the next attempt.
Trouble::Kind kind_of(const error_code& error, SSL* session) {
  if (::SSL_get_verify_result(session) != X509_V_OK) return Trouble::Kind::stranger;
  if (error.category() != asio::error::get_ssl_category()) return Trouble::Kind::passing;
  const auto value = static_cast<unsigned long>(error.value());
  const int reason = ERR_GET_REASON(value);
  if (ERR_GET_LIB(value) != ERR_LIB_SSL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return Trouble::Kind::passing;
  }
  const int alert = reason - SSL_AD_REASON_OFFSET;
  if (alert == SSL_AD_INTERNAL_ERROR || alert == SSL_AD_CLOSE_NOTIFY) {
    return Trouble::Kind::passing;
  }
  return alert > 0 && is_verdict(alert) ? Trouble::Kind::refused : Trouble::Kind::stranger;
}

// Which of two addresses' troubles tells more.
int weight(Trouble::Kind kind) {
  switch (kind) {
    case Trouble::Kind::unreachable:
      return 0;
    case Trouble::Kind::stranger:
      return 2;
    case Trouble::Kind::refused:
      return 3;
    default:
      return 1;
  }
}

class Impl final : public Link, public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(Setup setup)
      : setup_(std::move(setup)),
        ends_(Clock::now() + setup_.time),
        resolver_(setup_.io),
        timer_(setup_.io) {}

  void begin() {
    // Of the whole: a name look-up, too, may never end. Its thread is left alone then.
    limit(ends_, "its name could not be looked up in time");
    resolver_.async_resolve(
        setup_.host, std::to_string(setup_.port), tcp::resolver::numeric_service,
        [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
          if (!self->over_) self->resolved(error, found);
        });
  }

  void send(std::string text) override {
    if (over_ || leaving_) return;
    out_.push_back(std::move(text));
    if (out_.size() == 1) write();
  }

  void ping() override {
    if (over_ || std::exchange(pinging_, true)) return;
    stream_->async_ping(
        {}, [self = shared_from_this(), stream = stream_](error_code) { self->pinging_ = false; });
  }

  void drop() override {
    if (over_) return;
    finish();
  }

  void leave() override {
    if (over_ || !open_ || std::exchange(leaving_, true)) return;
    // What fits in the socket's buffer goes out within this call.
    stream_->async_close(
        websocket::close_code::normal,
        [self = shared_from_this(), stream = stream_](error_code) { self->drop(); });
  }

 private:
  void limit(Clock::time_point when, const std::string& problem) {
    timer_.expires_at(when);
    timer_.async_wait([weak = weak_from_this(), problem](error_code cancelled) {
      const auto self = weak.lock();
      if (self && !cancelled && !self->over_) {
        self->next_address(Trouble{Trouble::Kind::passing, self->at() + problem});
      }
    });
  }

  // Where we are, for people: the host is known to who reads it, the address is not.
  std::string at() const {
    return tried_ == 0 ? std::string() : text_of(addresses_[tried_ - 1]) + ": ";
  }

  // A handler for the address that is tried now, and for none that comes after it.
  template <typename Handler>
  auto guarded(Handler handler) {
    return [self = shared_from_this(), stream = stream_, turn = turn_, handler](
               const error_code& error, auto&&... /*ignored*/) {
      if (!self->over_ && turn == self->turn_) handler(error);
    };
  }

  void finish() {
    over_ = true;
    timer_.cancel();
    resolver_.cancel();
    close_socket();
  }

  // With a reset: what the kernel has not sent yet must not reach the appserver later, when a newer
  // connection has said otherwise.
  void close_socket() {
    error_code ignored;
    if (stream_) {
      auto& socket = beast::get_lowest_layer(*stream_);
      socket.set_option(tcp::socket::linger(true, 0), ignored);
      socket.close(ignored);
    }
    if (socket_) socket_->close(ignored);
  }

  void fail(const Trouble& why) {
    if (over_) return;
    finish();
    setup_.over(why);
  }

  // Reaching it.

  void resolved(const error_code& error, const tcp::resolver::results_type& found) {
    if (error) {
      return fail({Trouble::Kind::unreachable,
                   "its name could not be looked up: " + common::printable(error.message())});
    }
    for (const auto& entry : found) {
      if (addresses_.size() < kMostAddresses) addresses_.push_back(entry.endpoint());
    }
    next_address(std::nullopt);
  }

  void next_address(const std::optional<Trouble>& trouble) {
    ++turn_;
    if (trouble && (!worst_ || weight(trouble->kind) >= weight(worst_->kind))) worst_ = trouble;
    if (tried_ == addresses_.size() || Clock::now() >= ends_) {
      return fail(worst_.value_or(Trouble{Trouble::Kind::unreachable, "it has no address"}));
    }
    close_socket();
    stream_.reset();
    in_.clear();
    const auto left = static_cast<Clock::rep>(addresses_.size() - tried_);
    ++tried_;
    limit(Clock::now() + (ends_ - Clock::now()) / left, "no answer in time");
    socket_.emplace(setup_.io);
    socket_->async_connect(addresses_[tried_ - 1],
                           guarded([this](const error_code& error) { connected(error); }));
  }

  void connected(const error_code& error) {
    if (error) return next_address(Trouble{Trouble::Kind::unreachable, at() + words(error)});
    error_code ignored;
    // Small messages in a row; none may wait for the one before to be confirmed.
    socket_->set_option(tcp::no_delay(true), ignored);
    socket_->set_option(asio::socket_base::keep_alive(true), ignored);
    stream_ = std::make_shared<Stream>(std::move(*socket_), setup_.tls->get());
    socket_.reset();
    try {
      expect_host(session(), setup_.server_name);
    } catch (const common::Error& problem) {
      return fail({Trouble::Kind::stranger, problem.what()});
    }
    stream_->next_layer().async_handshake(
        asio::ssl::stream_base::client,
        guarded([this](const error_code& failed) { secured(failed); }));
  }

  SSL* session() { return stream_->next_layer().native_handle(); }

  Trouble tls_trouble(const error_code& error) {
    return {kind_of(error, session()), at() + "TLS: " + tls_problem(error, session())};
  }

  void secured(const error_code& error) {
    if (error) return next_address(tls_trouble(error));
    look_at_certificate();
    stream_->set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set(http::field::user_agent, "genapp appmgr " GENAPP_VERSION);
      request.set(http::field::sec_websocket_protocol, kSubprotocol);
    }));
    // Silence is ours to judge: contact.hpp.
    websocket::stream_base::timeout rule{};
    rule.handshake_timeout = websocket::stream_base::none();
    rule.idle_timeout = websocket::stream_base::none();
    rule.keep_alive_pings = false;
    stream_->set_option(rule);
    stream_->read_message_max(kMostAnswerBytes);
    stream_->auto_fragment(false);
    stream_->control_callback([this](websocket::frame_type, beast::string_view) {
      if (open_ && !over_) setup_.heard();
    });
    const bool ipv6 = setup_.host.find(':') != std::string::npos;
    const std::string host =
        (ipv6 ? "[" + setup_.host + "]" : setup_.host) + ":" + std::to_string(setup_.port);
    stream_->async_handshake(response_, host, kTarget,
                             guarded([this](const error_code& failed) { upgraded(failed); }));
  }

  void look_at_certificate() {
    const auto days = peer_days_left(session());
    if (days && *days < kWarnDays) {
      setup_.warn(at() + "the appserver's certificate expires in " + std::to_string(*days) +
                  " days: make a new one with genapp keys guest");
    }
  }

  void upgraded(const error_code& error) {
    if (error == websocket::error::upgrade_declined) return next_address(declined());
    if (error == http::error::end_of_stream || error == http::error::partial_message) {
      return next_address(Trouble{Trouble::Kind::passing, at() + "it ended the connection"});
    }
    if (is_of(error, websocket::error::closed) || is_of(error, http::error::end_of_stream)) {
      return next_address(Trouble{Trouble::Kind::stranger, at() + "what answers is no appserver: " +
                                                               common::printable(error.message())});
    }
    // Of TLS 1.3 the verdict about our certificate comes with the first bytes that are read.
    if (error) return next_address(tls_trouble(error));
    if (response_[http::field::sec_websocket_protocol] != kSubprotocol) {
      return next_address(Trouble{Trouble::Kind::stranger, at() + "what answers does not speak " +
                                                               std::string(kSubprotocol)});
    }
    read();
  }

  Trouble declined() const {
    const unsigned status = response_.result_int();
    std::string body = response_.body();
    while (!body.empty() && (body.back() == '\n' || body.back() == '\r')) body.pop_back();
    const bool passing = response_.result() == http::status::service_unavailable;
    return {passing ? Trouble::Kind::passing : Trouble::Kind::refused,
            at() + "HTTP status " + std::to_string(status) +
                (body.empty() ? std::string() : ": " + common::printable_utf8(body))};
  }

  // Reading.

  void read() {
    stream_->async_read_some(in_, kReadBytes, guarded([this](const error_code& error) {
                               if (error) return read_failed(error);
                               if (open_) setup_.heard();
                               if (!over_) take_some();
                             }));
  }

  void read_failed(const error_code& error) {
    Trouble why{Trouble::Kind::passing, at()};
    if (error == websocket::error::closed) {
      const auto& reason = stream_->reason();
      if (reason.code == kCloseReplaced) {
        why = {Trouble::Kind::replaced, "another appmgr took its place"};
      } else {
        why.text += "it closed the connection (" + std::to_string(reason.code) +
                    (reason.reason.empty()
                         ? std::string()
                         : ", " + common::printable_utf8(std::string(reason.reason.c_str()))) +
                    ")";
      }
    } else if (is_of(error, websocket::error::closed)) {
      why = {Trouble::Kind::nonsense, at() + common::printable(error.message())};
    } else {
      why = tls_trouble(error);
    }
    if (!open_) return next_address(why);
    fail(why);
  }

  void take_some() {
    if (!stream_->is_message_done()) return read();
    const auto data = in_.cdata();
    const std::string_view message(static_cast<const char*>(data.data()), data.size());
    try {
      take(message);
    } catch (const BadMessage& problem) {
      return fail({Trouble::Kind::nonsense,
                   at() + "what it says makes no sense: " + common::printable(problem.what())});
    }
    if (over_) return;
    in_.clear();
    read();
  }

  void take(std::string_view message) {
    if (!stream_->got_text()) {
      const auto chunk = parse_output(message);
      if (!chunk || !open_) throw BadMessage("a binary message that is no output", 0);
      return setup_.output(*chunk);
    }
    const Answer answer = parse_answer(message);
    if (open_) return setup_.answered(answer);
    const auto* hello = std::get_if<Hello>(&answer);
    if (!hello) throw BadMessage("it does not begin with a hello", 0);
    if (hello->version != kProtocolVersion) {
      return fail({Trouble::Kind::refused,
                   at() + "it speaks version " + std::to_string(hello->version) +
                       " of the protocol, and we speak " + std::to_string(kProtocolVersion) +
                       ": install the same genapp on both sides"});
    }
    timer_.cancel();
    open_ = true;
    setup_.opened(*hello);
  }

  // Writing.

  void write() {
    stream_->text(true);
    stream_->async_write(asio::buffer(out_.front()), [self = shared_from_this(), stream = stream_](
                                                         error_code error, std::size_t) {
      // Reading tells what is wrong.
      if (error || self->over_) return;
      self->out_.pop_front();
      if (!self->out_.empty() && !self->leaving_) self->write();
    });
  }

  Setup setup_;
  const Clock::time_point ends_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  std::vector<tcp::endpoint> addresses_;
  std::size_t tried_ = 0;  // of them, the present one included
  std::size_t turn_ = 0;   // changes with each of them
  std::optional<Trouble> worst_;

  std::optional<tcp::socket> socket_;  // until TLS takes it
  std::shared_ptr<Stream> stream_;     // shared with its operations
  websocket::response_type response_;
  beast::flat_buffer in_;
  std::deque<std::string> out_;
  bool pinging_ = false;
  bool open_ = false;
  bool leaving_ = false;
  bool over_ = false;
};

}  // namespace

std::shared_ptr<Link> Link::begin(Setup setup) {
  const auto link = std::make_shared<Impl>(std::move(setup));
  link->begin();
  return link;
}

}  // namespace genapp::remote
