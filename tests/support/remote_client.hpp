#pragma once

// A client of the remote protocol for tests, which sees each message. Every wait is bounded: what
// does not come is told by std::runtime_error.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "remote/message.hpp"
#include "remote/tls.hpp"

namespace genapp::tests {

class RemoteClient {
 public:
  // Connects to 127.0.0.1 as localhost and says the WebSocket's hello. Throws std::runtime_error
  // with what went wrong.
  RemoteClient(std::uint16_t port, const remote::TlsFiles& files);
  // Drops the connection.
  ~RemoteClient();
  RemoteClient(const RemoteClient&) = delete;
  RemoteClient& operator=(const RemoteClient&) = delete;

  const remote::Hello& hello() const;
  void say(std::string_view text);
  void say_binary(std::string_view bytes);
  // Sends it with a number of its own. Returns that.
  std::uint64_t send(const remote::Request& request);
  // Waits for the reply to that number.
  remote::Reply reply(std::uint64_t ref);
  remote::Reply ask(const remote::Request& request) { return reply(send(request)); }
  // The reply to what bears no number.
  remote::Reply reply_to_none() { return reply(0); }

  // Of what was attached to: so far, or once it has come.
  const std::string& out() const;
  const std::string& err() const;
  std::uint64_t gaps() const;  // bytes that were left out
  // Reads until the output has so many bytes.
  void read_out(std::size_t bytes);
  remote::SessionEnd ended();
  remote::Offsets output_end();        // and all that belongs before it
  remote::Offsets await_output_end();  // the message alone
  // Whether each piece is confirmed as it comes.
  void confirm(bool each);
  void taken();  // all that has come

  // The server's code once it has closed the connection: 1006 when it did so without a word.
  std::uint16_t close_code();
  // Without a word: a reset.
  void drop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace genapp::tests
