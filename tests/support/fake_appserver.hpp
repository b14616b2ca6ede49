#pragma once

// An appserver that does as a test says, also what no appserver should: TLS and a WebSocket made
// with the libraries alone. Loopback only; threads of the test's own.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remote/message.hpp"
#include "remote/tls.hpp"
#include "tests/support/net.hpp"

namespace genapp::tests {

// One connection, in its thread. Everything returns false when the client is gone or the server is
// to end; returning from the talk closes the connection.
class FakeTalk {
 public:
  struct Impl;
  explicit FakeTalk(Impl& impl) : impl_(impl) {}

  // The steps of a connection, each after the one before.
  bool tls();
  bool upgrade();
  bool hello(int version = remote::kProtocolVersion);
  bool begin() { return tls() && upgrade() && hello(); }
  // Instead of upgrade(): an answer of HTTP's, such as "503 Service Unavailable".
  bool decline(const std::string& status, const std::string& body);

  bool answer(const remote::Answer& answer);
  bool text(const std::string& text);
  bool binary(const std::string& bytes);
  bool output(remote::Output stream, std::uint64_t offset, std::string_view bytes);
  // The next request that is no `taken`; those are kept in taken().
  std::optional<remote::NumberedRequest> request();
  // Reads until the client has confirmed so much.
  bool wait_for_taken(const remote::Offsets& offsets);
  remote::Offsets taken() const;
  // An answer to it, and a session as it would have one.
  bool reply(const remote::NumberedRequest& to, bool started = false);
  bool refuse(const remote::NumberedRequest& to, remote::Refusal why);
  bool ended(const remote::SessionEnd& end);
  bool output_end(const remote::Offsets& lengths);

  // A whole happy end: ended, output-end, the acknowledgement and its reply.
  bool finish(const remote::SessionEnd& end, const remote::Offsets& lengths = {});

  void close(std::uint16_t code);
  // Reads, and so answers pings, until the client goes.
  void hold();
  // Reads nothing and says nothing until the client goes or the server ends.
  void be_silent();
  // At once, with a reset.
  void reset();

 private:
  Impl& impl_;
};

class FakeAppserver {
 public:
  // `talk` is called for each connection; the first one's number is 0.
  using Talk = std::function<void(FakeTalk&, std::size_t number)>;
  struct Wish {
    bool tls_1_2 = false;
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;  // 0: a free one
  };

  FakeAppserver(const remote::TlsFiles& files, Talk talk) : FakeAppserver(files, Wish(), talk) {}
  FakeAppserver(const remote::TlsFiles& files, const Wish& wish, Talk talk);
  ~FakeAppserver();

  std::uint16_t port() const { return number_; }
  std::size_t connections() const;

 private:
  struct Impl;
  Port port_;
  std::uint16_t number_;
  std::unique_ptr<Impl> impl_;
};

remote::SessionView fake_view(const common::Id& session);

}  // namespace genapp::tests
