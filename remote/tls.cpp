#include "remote/tls.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <utility>
#include <vector>

#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/printable.hpp"
#include "remote/certificate.hpp"
#include "remote/private_key.hpp"

namespace genapp::remote {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// More than any certificate or bundle of a private authority has.
constexpr std::size_t kMostBytes = 1024 * 1024;

const char* how_to_make(Side side) {
  return side == Side::server ? "make it with `genapp keys guest NAME`"
                              : "make it with `genapp keys host NAME`";
}

std::string read(Side side, const std::string& path) {
  const auto text = common::read_file(path, kMostBytes);
  if (!text) {
    throw common::Error(path + ": " + common::errno_text(ENOENT) + "; " + how_to_make(side),
                        common::ExitCode::failed, ENOENT);
  }
  return *text;
}

[[noreturn]] void refused(const std::string& path, const std::string& what) {
  const std::string words = openssl_problem();
  throw common::Error(path + ": " + what + (words.empty() ? "" : " (" + words + ")"));
}

void check_own(Side side, const X509* certificate, const std::string& path) {
  const bool fits = side == Side::server ? may_be_server(certificate) : may_be_client(certificate);
  if (!fits) {
    throw common::Error(path +
                        (side == Side::server
                             ? ": is not for a server (extended key usage serverAuth)"
                             : ": is not for a manager (extended key usage clientAuth)") +
                        "; " + how_to_make(side));
  }
  if (days_left(certificate) < 0) {
    throw common::Error(path + ": has expired on " + valid_until(certificate) +
                        "; renew it: " + how_to_make(side));
  }
  if (not_yet_valid(certificate)) {
    throw common::Error(path + ": is not valid before " + valid_from(certificate) +
                        "; is this machine's clock right?");
  }
  if (side == Side::client && common_name(certificate).empty()) {
    throw common::Error(path + ": has no common name, by which the server knows us; " +
                        how_to_make(side));
  }
}

void use_own(SSL_CTX* context, const std::vector<CertificatePtr>& chain, EVP_PKEY* key,
             const TlsFiles& files) {
  if (::SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    refused(files.certificate, "can't be used");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (::SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      refused(files.certificate, "certificate " + std::to_string(i + 1) + " can't be used");
    }
  }
  if (::X509_check_private_key(chain.front().get(), key) != 1) {
    ::ERR_clear_error();
    throw common::Error(files.key + ": is not the key of " + files.certificate +
                        "; copy both files of the same `genapp keys`");
  }
  if (::SSL_CTX_use_PrivateKey(context, key) != 1) refused(files.key, "can't be used");
}

void trust(SSL_CTX* context, const std::vector<CertificatePtr>& authorities,
           const std::string& path) {
  const bool expired = std::all_of(authorities.begin(), authorities.end(),
                                   [](const auto& one) { return days_left(one.get()) < 0; });
  if (expired) {
    throw common::Error(path +
                        ": every authority in it has expired; make a new one with `genapp "
                        "keys rotate`");
  }
  X509_STORE* store = ::SSL_CTX_get_cert_store(context);
  for (const CertificatePtr& authority : authorities) {
    if (::X509_STORE_add_cert(store, authority.get()) != 1) refused(path, "can't be used");
  }
}

// OpenSSL's verdict on each certificate of the chain, the peer's own last; what it does not look at
// is added there. Without a name that a client expects, any server of the authority would do.
int look_at_client(int good, X509_STORE_CTX* state) {
  if (!good || ::X509_STORE_CTX_get_error_depth(state) != 0) return good;
  const X509* certificate = ::X509_STORE_CTX_get0_cert(state);
  if (!may_be_client(certificate)) {
    ::X509_STORE_CTX_set_error(state, X509_V_ERR_INVALID_PURPOSE);
    return 0;
  }
  if (common_name(certificate).empty()) {
    ::X509_STORE_CTX_set_error(state, X509_V_ERR_CERT_REJECTED);
    return 0;
  }
  return 1;
}

bool expects_a_name(X509_STORE_CTX* state) {
  X509_VERIFY_PARAM* rules = ::X509_STORE_CTX_get0_param(state);
  if (::X509_VERIFY_PARAM_get0_host(rules, 0)) return true;
  char* address = ::X509_VERIFY_PARAM_get1_ip_asc(rules);
  const bool found = address != nullptr;
  ::OPENSSL_free(address);
  return found;
}

int look_at_server(int good, X509_STORE_CTX* state) {
  if (!good || ::X509_STORE_CTX_get_error_depth(state) != 0) return good;
  if (!expects_a_name(state)) {
    ::X509_STORE_CTX_set_error(state, X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
  }
  if (!may_be_server(::X509_STORE_CTX_get0_cert(state))) {
    ::X509_STORE_CTX_set_error(state, X509_V_ERR_INVALID_PURPOSE);
    return 0;
  }
  return 1;
}

void set_rules(Side side, SSL_CTX* context) {
  ::SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  ::SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  // Nothing is resumed: each connection's certificate is judged anew, by the authorities of then.
  ::SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  ::SSL_CTX_set_num_tickets(context, 0);
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // A thousand connections are mostly silent: two buffers of 17 KiB each go while they are empty.
  // And we send the chain of our own file, not the root that OpenSSL finds among the authorities.
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  if (side == Side::server) {
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         look_at_client);
  } else {
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, look_at_server);
  }
}

// Without brackets, an IPv6 address's link, and the root's dot: what a certificate can hold.
std::string certified_name(std::string host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.find(':') != std::string::npos) return host.substr(0, host.find('%'));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool is_address(const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

std::string refused_certificate(long verdict, const ssl_st* session) {
  const std::string begin = "its certificate was refused: ";
  if (verdict == X509_V_ERR_CERT_REJECTED) return begin + "it has no common name";
  if (verdict == X509_V_ERR_INVALID_PURPOSE) {
    return begin +
           (::SSL_is_server(session) ? "it is not for a manager" : "it is not for a server");
  }
  const std::string words = ::X509_verify_cert_error_string(verdict);
  if (verdict != X509_V_ERR_HOSTNAME_MISMATCH && verdict != X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return begin + words;
  }
  // SSL_get0_param only looks, though it takes what it could change.
  X509_VERIFY_PARAM* rules = ::SSL_get0_param(const_cast<ssl_st*>(session));
  const char* host = ::X509_VERIFY_PARAM_get0_host(rules, 0);
  char* address = host ? nullptr : ::X509_VERIFY_PARAM_get1_ip_asc(rules);
  const std::string name = host ? host : address ? address : "";
  ::OPENSSL_free(address);
  return begin + "it is not for " + common::quoted(name, 255);
}

// `reason` of an error that is an alert, which the peer has sent.
std::string told_by_peer(int reason) {
  const int alert = reason - SSL_AD_REASON_OFFSET;
  const std::string words = ::SSL_alert_desc_string_long(alert);
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
      return "it did not accept our certificate: " + words;
    case SSL_AD_CERTIFICATE_REQUIRED:
      return "it wants a certificate, and we have shown none";
    case SSL_AD_PROTOCOL_VERSION:
      return "it does not speak TLS 1.3";
    default:
      return "it ended TLS: " + words;
  }
}

std::string tls_reason(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    if (reason > SSL_AD_REASON_OFFSET) return told_by_peer(reason);
    switch (reason) {
      case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return "it has shown no certificate";
      case SSL_R_UNSUPPORTED_PROTOCOL:
      case SSL_R_UNKNOWN_PROTOCOL:
      case SSL_R_VERSION_TOO_LOW:
        return "it does not speak TLS 1.3";
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_HTTP_REQUEST:
      case SSL_R_PACKET_LENGTH_TOO_LONG:
        return "it does not speak TLS";
      case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return "it ended the connection";
      default:
        break;
    }
  }
  const char* words = ::ERR_reason_error_string(error);
  return words ? words : "TLS error " + std::to_string(error);
}

struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;  // -1: can't be looked at
  timespec changed{};
  // Of its rights, too: a key that others could read may be mended by chmod.
  timespec status_changed{};

  bool operator==(const FileStamp& other) const {
    return device == other.device && inode == other.inode && size == other.size &&
           changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec &&
           status_changed.tv_sec == other.status_changed.tv_sec &&
           status_changed.tv_nsec == other.status_changed.tv_nsec;
  }
};

FileStamp stamp_of(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return {};
  return {file.st_dev, file.st_ino, file.st_size, file.st_mtim, file.st_ctim};
}

}  // namespace

struct TlsContext::Own {
  CertificatePtr certificate;
};

TlsContext::TlsContext(Side side, const TlsFiles& files) : own_(std::make_unique<Own>()) {
  auto chain = parse_certificates(read(side, files.certificate), files.certificate);
  check_own(side, chain.front().get(), files.certificate);
  const std::string key_text = read(side, files.key);
  check_key_rights(files.key);
  const PrivateKeyPtr key = parse_private_key(key_text, files.key);
  const auto authorities = parse_certificates(read(side, files.authorities), files.authorities);

  context_ = std::make_unique<ssl::context>(side == Side::server ? ssl::context::tls_server
                                                                 : ssl::context::tls_client);
  SSL_CTX* context = context_->native_handle();
  set_rules(side, context);
  use_own(context, chain, key.get(), files);
  trust(context, authorities, files.authorities);
  name_ = common_name(chain.front().get());
  own_->certificate = std::move(chain.front());
}

TlsContext::~TlsContext() = default;

int TlsContext::days_left() const { return remote::days_left(own_->certificate.get()); }

struct TlsKeys::Stamp {
  FileStamp certificate;
  FileStamp key;
  FileStamp authorities;
  bool operator==(const Stamp&) const = default;

  static Stamp of(const TlsFiles& files) {
    return {stamp_of(files.certificate), stamp_of(files.key), stamp_of(files.authorities)};
  }
};

TlsKeys::TlsKeys(Side side, TlsFiles files, std::function<void(std::string)> warn)
    : side_(side),
      files_(std::move(files)),
      warn_(std::move(warn)),
      // Before they are read: what changes meanwhile is seen as a change.
      stamp_(std::make_unique<Stamp>(Stamp::of(files_))) {
  context_ = std::make_shared<TlsContext>(side_, files_);
}

TlsKeys::~TlsKeys() = default;

std::shared_ptr<TlsContext> TlsKeys::current() {
  const Stamp now = Stamp::of(files_);
  const bool changed = now != *stamp_;
  // What was refused is tried again though nothing has changed: time mends what is not yet valid.
  if (!changed && problem_.empty()) return context_;
  *stamp_ = now;
  if (changed) problem_.clear();
  reload();
  return context_;
}

// Files are replaced one after the other: while they change, what does not fit together may be two
// halves of two sets, which the next look finds whole.
void TlsKeys::reload() {
  constexpr int kLooks = 3;
  for (int look = 1;; ++look) {
    try {
      context_ = std::make_shared<TlsContext>(side_, files_);
      problem_.clear();
      return;
    } catch (const common::Error& error) {
      const Stamp now = Stamp::of(files_);
      if (now != *stamp_ && look < kLooks) {
        *stamp_ = now;
        continue;
      }
      if (problem_ != error.what()) {
        problem_ = error.what();
        warn_(problem_ + "; the former keys stay in use");
      }
      return;
    }
  }
}

std::string peer_name(const ssl_st* session) {
  const X509* certificate = ::SSL_get0_peer_certificate(session);
  if (!certificate || !::SSL_is_init_finished(session)) return {};
  if (::SSL_get_verify_result(session) != X509_V_OK) return {};
  return common_name(certificate);
}

std::optional<int> peer_days_left(const ssl_st* session) {
  const X509* certificate = ::SSL_get0_peer_certificate(session);
  if (!certificate) return std::nullopt;
  return days_left(certificate);
}

void expect_host(ssl_st* session, const std::string& host) {
  std::string name = certified_name(host);
  const bool address = is_address(name);
  X509_VERIFY_PARAM* rules = ::SSL_get0_param(session);
  // The subject's name is for people: only what the authority has written as an address counts.
  ::X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  // An empty name would be none to OpenSSL: any certificate's would do.
  const bool set = !name.empty() && name.find('\0') == std::string::npos &&
                   (address ? ::X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str())
                            : ::X509_VERIFY_PARAM_set1_host(rules, name.c_str(), 0)) == 1;
  // RFC 6066, 3: no address in SNI.
  const bool told = set && (address || ::SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                                  TLSEXT_NAMETYPE_host_name, name.data()) == 1);
  if (!told) {
    ::ERR_clear_error();
    throw common::Error("host " + common::quoted(host, 255) +
                        ": is no name or address that a certificate could have");
  }
}

std::string tls_problem(const error_code& error, const ssl_st* session) {
  const bool judged = session && ::SSL_get_verify_mode(session) != SSL_VERIFY_NONE;
  if (judged && ::SSL_get_verify_result(session) != X509_V_OK) {
    return refused_certificate(::SSL_get_verify_result(session), session);
  }
  if (error.category() == asio::error::get_ssl_category()) {
    return tls_reason(static_cast<unsigned long>(error.value()));
  }
  if (error == asio::error::eof || error == ssl::error::stream_truncated) {
    return "it ended the connection";
  }
  if (error.category() == boost::system::system_category()) {
    return common::errno_text(error.value());
  }
  return error.message();
}

}  // namespace genapp::remote
