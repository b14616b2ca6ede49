#pragma once

// Servers that do what no server should. Loopback only; threads of the test's own.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/fd.hpp"
#include "tests/support/net.hpp"

namespace genapp::tests {

class HostileServer;

// One accepted connection, in its thread. Everything returns false when the client is gone or the
// server is to end. Returning from the talk closes the connection.
class Conversation {
 public:
  bool send(std::string_view bytes);
  bool pause(std::chrono::milliseconds length);
  // Reads until `text` has come, and past it.
  bool wait_for(std::string_view text);
  // Reads and forgets until the client has ended.
  void hold();
  // Closes with a reset.
  void reset();

 private:
  friend class HostileServer;
  Conversation(HostileServer& server, common::Fd fd) : server_(server), fd_(std::move(fd)) {}
  bool wait_until_ready(short what, int milliseconds = -1);

  HostileServer& server_;
  common::Fd fd_;
  std::string unread_;
};

using Talk = std::function<void(Conversation&)>;

namespace talk {
Talk silent();                                                    // accepts, never answers
Talk drip(std::string text, std::chrono::milliseconds interval);  // a byte each; then silent
Talk resetting();                                                 // as soon as something has come
Talk garbage();                                                   // bytes of all kinds, then closes
Talk closing();                                                   // at once
Talk endless(std::string beginning, std::string piece);           // the piece for ever

// Sends, then waits for a text from the client; either may be empty. At the end it closes.
struct Line {
  std::string send{};
  std::string wait_for{};
};
Talk scripted(std::vector<Line> lines);
}  // namespace talk

class HostileServer {
 public:
  // Listens when it returns. `host` is 127.0.0.1 or ::1.
  explicit HostileServer(Talk talk, const std::string& host = "127.0.0.1");
  // Ends its conversations.
  ~HostileServer();
  HostileServer(const HostileServer&) = delete;
  HostileServer& operator=(const HostileServer&) = delete;

  std::uint16_t port() const { return port_.number(); }
  std::size_t connections() const { return connections_; }
  // Under way.
  std::size_t conversations() const { return talking_; }
  // What it could get rid of so far.
  std::size_t bytes_sent() const { return bytes_sent_; }
  // Everything that clients have sent and a talk has read.
  std::string received() const;
  // How often a client has reset its connection.
  std::size_t resets() const { return resets_; }

 private:
  friend class Conversation;
  void accept_all();

  Talk talk_;
  Port port_;
  common::Fd listener_;
  common::Fd end_;  // readable when all is to end
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> talking_{0};
  std::atomic<std::size_t> bytes_sent_{0};
  std::atomic<std::size_t> resets_{0};
  mutable std::mutex mutex_;  // of received_
  std::string received_;
  std::list<std::thread> threads_;  // the acceptor's
  std::thread acceptor_;
};

// Listens with a full backlog: the kernel drops who tries to connect, as a host that is down does.
class BlackHole {
 public:
  explicit BlackHole(const std::string& host = "127.0.0.1");
  std::uint16_t port() const { return port_.number(); }

 private:
  Port port_;
  common::Fd listener_;
  std::vector<common::Fd> clients_;
};

}  // namespace genapp::tests
