#pragma once

// One check of a server: what it is asked to do, what it found. The checks themselves are made by
// http_check.hpp and smtp_check.hpp; when they start, and what follows from them, is for others.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/clock.hpp"
#include "monitor/events.hpp"

namespace genapp::monitor {

// Where a check connects to.
struct Server {
  std::string host;  // a name, or an address, in brackets or not
  std::uint16_t port = 0;
};

// What is wrong, in the terms of the event that tells it.
struct Fault {
  Event event{};           // 71 to 83, 101, 103
  int code = 0;            // 71 to 75: an errno; 81: an errno or 0; 83: the status code
  std::string reason;      // "connecting to 127.0.0.1 port 80: ECONNREFUSED (Connection refused)"
  bool timed_out = false;  // the deadline came first
};

struct CheckResult {
  std::optional<Fault> fault;      // nothing: the server is healthy
  common::Clock::duration took{};  // from its start
  std::string seen{};              // the server's words: "HTTP/1.1 200 OK", "250 OK"; may be empty
  std::string address{};           // the last one tried: "127.0.0.1:80", "[::1]:80"
  std::optional<int> certificate_days{};  // until it expires; of a TLS server that showed one
};

// Called once, from the event loop, never from within the function that started the check; never
// after cancel().
using CheckDone = std::function<void(const CheckResult&)>;

// A check under way. Dropping it cancels it.
class Check {
 public:
  virtual ~Check() = default;
};

}  // namespace genapp::monitor
