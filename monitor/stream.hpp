#pragma once

// A check's connection: TCP, and TLS over it when asked. One deadline covers all of it, from the
// name's look-up on; nothing is read beyond what the check asks for, so no peer can make it grow.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/clock.hpp"
#include "monitor/check.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::monitor {

class Resolver;

struct TlsSettings {
  std::string ca_file{};  // PEM; empty: the system's certificate authorities
  bool verify = true;     // chain, validity and name
  std::string name{};     // for SNI and verification; empty: the server's host
};

// Certificates and rules for TLS connections, read once. Shared by the checks of one monitor.
class TlsContext {
 public:
  // Throws common::Error naming the file when ca_file can't be read or holds no certificate.
  explicit TlsContext(const TlsSettings& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsSession;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Every callback comes from the event loop, once, and not after close(). A fault that it is given
// is the last thing that this stream tells. One operation at a time.
class Stream {
 public:
  using Done = std::function<void(const std::optional<Fault>&)>;
  // Bytes that came; empty with no fault: the peer has ended.
  using Read = std::function<void(const std::optional<Fault>&, std::string_view)>;

  Stream(boost::asio::io_context& io, Resolver& resolver, common::Clock::time_point deadline);
  ~Stream();  // closes
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Looks the name up and tries its addresses in turn, each with its share of the time that is
  // left.
  void connect(const Server& server, Done done);
  // After connect(). `context` outlives the stream.
  void start_tls(const TlsContext& context, const Server& server, Done done);
  void write(std::string bytes, Done done);
  // `what` names in a fault what was waited for: "the greeting". At most 8 KiB come at once; they
  // are valid during the call.
  void read(std::string_view what, Read done);
  // No more callbacks. `last_words`, and with TLS its close_notify, are sent if that does not
  // block, without waiting for anything; not within a TLS handshake or a write. Also to a peer that
  // did not answer in time: after that fault alone the connection is kept for them.
  void close(std::string_view last_words = {});

  const std::string& address() const;           // "127.0.0.1:80"; the last one tried
  std::optional<int> certificate_days() const;  // until the peer's certificate expires

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace genapp::monitor
