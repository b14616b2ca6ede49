#include "monitor/tls_session.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "monitor/events.hpp"
#include "monitor/stream.hpp"

namespace genapp::monitor {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

std::string openssl_words(unsigned long error) {
  const char* words = ::ERR_reason_error_string(error);
  return words ? words : "error " + std::to_string(error);
}

// Without brackets, an IPv6 address's link, and the root's dot: what a certificate can hold.
std::string certified_name(std::string host) {
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  if (host.find(':') != std::string::npos) return host.substr(0, host.find('%'));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

// Rounded down, so that it is negative as soon as it has expired. By the wall clock, as all that
// judges certificates.
std::optional<int> days_left(const X509* certificate) {
  int days = 0;
  int seconds = 0;
  if (::ASN1_TIME_diff(&days, &seconds, nullptr, ::X509_get0_notAfter(certificate)) != 1) return {};
  return seconds < 0 ? days - 1 : days;
}

void load_authorities(SSL_CTX* context, const std::string& file) {
  ::ERR_clear_error();
  if (file.empty()) {
    // The certificates of the system's folder are read when one is needed.
    if (::SSL_CTX_set_default_verify_paths(context) != 1) {
      throw common::Error("the system's certificate authorities: " +
                          openssl_words(::ERR_get_error()));
    }
    return;
  }
  errno = 0;
  if (::SSL_CTX_load_verify_file(context, file.c_str()) == 1) return;
  const unsigned long error = ::ERR_peek_error();
  const int system = ERR_SYSTEM_ERROR(error) ? ERR_GET_REASON(error) : 0;
  ::ERR_clear_error();
  if (system) throw common::system_error(file, system);
  throw common::Error(file + ": holds no certificate in PEM form (" + openssl_words(error) + ")");
}

TlsProblem problem_of(const error_code& error) {
  if (error.category() == asio::error::get_ssl_category()) {
    return {0, openssl_words(static_cast<unsigned long>(error.value()))};
  }
  if (error == asio::error::eof || error == ssl::error::stream_truncated) {
    return {0, "the peer ended the connection"};
  }
  if (error.category() == boost::system::system_category()) {
    return {error.value(), errno_words(error.value())};
  }
  return {0, error.message()};
}

}  // namespace

struct TlsContext::Impl {
  explicit Impl(const TlsSettings& given) : settings(given), context(ssl::context::tls_client) {
    ::SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    // A session lasts for one check: its two buffers of 17 KiB go as soon as they are empty.
    ::SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    if (settings.verify) load_authorities(context.native_handle(), settings.ca_file);
  }

  TlsSettings settings;
  mutable ssl::context context;
};

void become_tls_program(int, const char* const*, const char*) {}

TlsContext::TlsContext(const TlsSettings& settings) : impl_(std::make_unique<Impl>(settings)) {}

TlsContext::~TlsContext() = default;

class TlsSession::Impl : public std::enable_shared_from_this<TlsSession::Impl> {
 public:
  Impl(asio::io_context& io, ssl::context& context, common::Fd connected)
      : socket_(io), stream_(socket_, context) {
    // TLS sends small records in a row; none may wait for the peer to confirm the one before.
    const int yes = 1;
    ::setsockopt(connected.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    int family = AF_INET;
    socklen_t size = sizeof family;
    ::getsockopt(connected.get(), SOL_SOCKET, SO_DOMAIN, &family, &size);
    error_code ignored;  // memory, or a limit of epoll's: the handshake then fails
    socket_.assign(family == AF_INET6 ? tcp::v6() : tcp::v4(), connected.get(), ignored);
    if (!ignored) static_cast<void>(connected.release());
  }

  void expect(const TlsSettings& settings, const std::string& host) {
    name_ = certified_name(settings.name.empty() ? host : settings.name);
    SSL* handle = stream_.native_handle();
    const bool address = is_address(name_);
    // RFC 6066, 3: no address in SNI.
    if (!address) {
      ::SSL_ctrl(handle, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name_.data());
    }
    X509_VERIFY_PARAM* rules = ::SSL_get0_param(handle);
    if (settings.verify) {
      ::X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      // An empty name would be none to OpenSSL: any certificate's would do.
      nameless_ = name_.empty() || (address ? ::X509_VERIFY_PARAM_set1_ip_asc(rules, name_.c_str())
                                            : ::X509_VERIFY_PARAM_set1_host(rules, name_.c_str(),
                                                                            name_.size())) != 1;
    }
    error_code ignored;
    stream_.set_verify_mode(settings.verify ? ssl::verify_peer : ssl::verify_none, ignored);
    stream_.set_verify_callback(
        [this](bool good, ssl::verify_context& chain) { return look_at(good, chain); }, ignored);
  }

  void handshake(Done done) {
    done_ = std::move(done);
    stream_.async_handshake(ssl::stream_base::client,
                            [self = shared_from_this()](error_code error) {
                              self->established_ = !error;
                              self->tell(error);
                            });
  }

  void write(std::string bytes, Done done) {
    done_ = std::move(done);
    out_ = std::move(bytes);
    asio::async_write(
        stream_, asio::buffer(out_),
        [self = shared_from_this()](error_code error, std::size_t) { self->tell(error); });
  }

  void read(Read done) {
    read_ = std::move(done);
    stream_.async_read_some(asio::buffer(in_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              self->tell_read(error, size);
                            });
  }

  void close(std::string_view last_words) {
    // OpenSSL goes on with a record that was sent in part only when it is given the same again.
    const bool writable = established_ && !done_;
    done_ = nullptr;
    read_ = nullptr;
    if (!socket_.is_open()) return;
    error_code ignored;
    if (writable) {
      socket_.non_blocking(true, ignored);
      if (!last_words.empty()) stream_.write_some(asio::buffer(last_words), ignored);
      stream_.shutdown(ignored);  // sent; the peer's answer is not there yet
    }
    socket_.close(ignored);
  }

  std::optional<int> certificate_days() const { return days_; }

 private:
  // OpenSSL's verdict on each certificate of the chain; the first that is bad ends the handshake.
  bool look_at(bool good, ssl::verify_context& chain) {
    X509_STORE_CTX* state = chain.native_handle();
    if (const X509* leaf = ::X509_STORE_CTX_get0_cert(state)) days_ = days_left(leaf);
    if (nameless_) {
      verdict_ = "no name to look for in it";
      return false;
    }
    if (!good && verdict_.empty()) {
      verdict_ = ::X509_verify_cert_error_string(::X509_STORE_CTX_get_error(state));
    }
    return good;
  }

  std::optional<TlsProblem> problem(const error_code& error) const {
    if (!error) return std::nullopt;
    if (established_ || verdict_.empty()) return problem_of(error);
    return TlsProblem{0, "the certificate was refused: " + verdict_ + ", expected name " +
                             common::quoted(name_, 255)};
  }

  void tell(const error_code& error) {
    if (const Done done = std::exchange(done_, nullptr)) done(problem(error));
  }

  void tell_read(const error_code& error, std::size_t size) {
    const Read done = std::exchange(read_, nullptr);
    if (!done) return;
    // Many servers end without close_notify. What they sent is judged by its own form.
    const bool ended = error == asio::error::eof || error == ssl::error::stream_truncated;
    done(ended ? std::nullopt : problem(error), {in_.data(), error ? 0 : size});
  }

  tcp::socket socket_;
  ssl::stream<tcp::socket&> stream_;
  std::string name_;
  std::string verdict_;  // why the certificate was refused
  std::optional<int> days_;
  bool nameless_ = false;  // verification is wanted, and there is no name for it
  bool established_ = false;
  Done done_;
  Read read_;
  std::string out_;
  std::array<char, 8192> in_{};
};

TlsSession::TlsSession(asio::io_context& io, const TlsContext& context, common::Fd connected,
                       const std::string& host)
    : impl_(std::make_shared<Impl>(io, context.impl_->context, std::move(connected))) {
  impl_->expect(context.impl_->settings, host);
}

TlsSession::~TlsSession() { impl_->close({}); }

void TlsSession::handshake(Done done) { impl_->handshake(std::move(done)); }
void TlsSession::write(std::string bytes, Done done) {
  impl_->write(std::move(bytes), std::move(done));
}
void TlsSession::read(Read done) { impl_->read(std::move(done)); }
void TlsSession::close(std::string_view last_words) { impl_->close(last_words); }
std::optional<int> TlsSession::certificate_days() const { return impl_->certificate_days(); }

}  // namespace genapp::monitor
