#pragma once

// A real web server of one of two makes, with the same pages, each a single process: what stops it
// stops all of it. It runs as any user, on 127.0.0.1 and ::1.
//
//   /          front(): 200 with a page that says "hello, world", 404, or 500
//   /missing   404
//   /broken    500
//   /private   200 for somebody, whose password is secret; else 401

#include <optional>
#include <string>

#include "tests/support/net.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tls.hpp"

namespace genapp::tests {

class WebServer {
 public:
  enum class Make { nginx, lighttpd };

  explicit WebServer(Make make);

  // Before start().
  void front(int status) { front_ = status; }
  void serve_tls(const Certificate& certificate) { certificate_ = certificate; }
  void listen_on(const std::string& address) { addresses_ = {address}; }

  // Waits until it listens. Throws std::runtime_error with its words when it does not.
  void start();
  void stop();
  // It keeps its listener, and the kernel goes on accepting connections for it.
  void freeze();
  void thaw();
  std::uint16_t port() const { return port_.number(); }
  std::string port_text() const { return port_.text(); }

 private:
  Command nginx() const;
  Command lighttpd() const;
  void make_pages() const;

  Make make_;
  int front_ = 200;
  std::optional<Certificate> certificate_;
  std::vector<std::string> addresses_;
  TempDir folder_;
  Port port_;
  std::optional<Process> process_;
};

// Whether this host has ::1.
bool has_ipv6();

}  // namespace genapp::tests
