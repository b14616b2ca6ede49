#pragma once

// TLS over a connection of a Stream's: the handshake, then bytes. It knows no deadline; whoever has
// one closes it.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/fd.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::monitor {

class TlsContext;

struct TlsProblem {
  int error = 0;       // an errno of the connection below; 0: TLS itself
  std::string reason;  // "certificate has expired"
};

// Callbacks come from the event loop, once, and not after close(). One operation at a time.
class TlsSession {
 public:
  using Done = std::function<void(const std::optional<TlsProblem>&)>;
  // Empty with no problem: the peer has ended.
  using Read = std::function<void(const std::optional<TlsProblem>&, std::string_view)>;

  // `connected` is a TCP connection that does not block; `host` the name or address of the server.
  // `context` outlives the session.
  TlsSession(boost::asio::io_context& io, const TlsContext& context, common::Fd connected,
             const std::string& host);
  ~TlsSession();  // closes
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  void handshake(Done done);
  void write(std::string bytes, Done done);
  void read(Read done);  // at most 8 KiB, valid during the call
  // Sends `last_words` and close_notify if the handshake is over and no write is under way, and if
  // that does not block; waits for nothing.
  void close(std::string_view last_words = {});

  // Of the certificate that the peer has shown, even if it was refused.
  std::optional<int> certificate_days() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace genapp::monitor
