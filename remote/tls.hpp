#pragma once

// TLS between a manager and an appserver: version 1.3 alone, and both sides show a certificate that
// the other verifies. Certificates are judged by the wall clock. Whoever uses it links
// genapp_remote_tls; genapp_remote has no OpenSSL.

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace boost::asio::ssl {
class context;
}
namespace boost::system {
class error_code;
}
struct ssl_st;

namespace genapp::remote {

// Paths of PEM files, as `genapp keys` makes them.
struct TlsFiles {
  std::string certificate;  // our own, then those of authorities between it and the root, if any
  std::string key;          // its private key, without a passphrase
  std::string authorities;  // who may have signed the other side's: during a rotation two
};

enum class Side { server, client };

// The files as they were at one moment.
class TlsContext {
 public:
  // Reads the files. Throws Error, which names the file and what to do: it is missing, the key is
  // readable by others, does not fit, a certificate has expired or is for the other side.
  TlsContext(Side side, const TlsFiles& files);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  boost::asio::ssl::context& get() { return *context_; }
  // The common name of our own certificate: how the other side knows us. A server's may be empty.
  const std::string& name() const { return name_; }
  // Until our own certificate expires; rounded down, negative afterwards.
  int days_left() const;

 private:
  struct Own;
  std::unique_ptr<boost::asio::ssl::context> context_;
  std::unique_ptr<Own> own_;
  std::string name_;
};

// The files as they are now: keys are replaced without a stop. Connections that exist keep the
// context that they began with.
class TlsKeys {
 public:
  // Throws Error as TlsContext. `warn` gets one line.
  TlsKeys(Side side, TlsFiles files, std::function<void(std::string)> warn);
  ~TlsKeys();
  TlsKeys(const TlsKeys&) = delete;
  TlsKeys& operator=(const TlsKeys&) = delete;

  // Looks at the files (three times stat(2)) and reads them when one has changed. When they are no
  // good any more, warns once and goes on with what it has. Never throws Error.
  std::shared_ptr<TlsContext> current();

 private:
  struct Stamp;
  void reload();

  Side side_;
  TlsFiles files_;
  std::function<void(std::string)> warn_;
  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<Stamp> stamp_;  // of the files that context_ was read from, or that were refused
  std::string problem_;           // why they were refused; empty: they were not
};

// The common name of the peer's certificate; empty before the handshake is over and when it was
// refused. A server's handshake ends only with a client that has one.
std::string peer_name(const ssl_st* session);
// Until the certificate that the peer has shown expires, even if it was refused.
std::optional<int> peer_days_left(const ssl_st* session);

// For a client, before the handshake: the name or address that the server's certificate must have
// among its alternative names ("example.org", "example.org.", "192.0.2.1", "[2001:db8::1]",
// "fe80::1%eth0"); a name is told to the server as well. Without this call every handshake fails.
// Throws Error when no certificate could hold such a name.
void expect_host(ssl_st* session, const std::string& host);

// One line for people, about the peer as "it": "its certificate was refused: certificate has
// expired". In TLS 1.3 a server's verdict about our certificate reaches a client after its
// handshake, as the error of its first read; over TCP only if the server then half-closes and reads
// what the client has sent by then, since a reset would overtake it.
std::string tls_problem(const boost::system::error_code& error, const ssl_st* session);

}  // namespace genapp::remote
