#pragma once

// The files of a real mail server, Exim, on a port of its own; it runs as any user, and as root
// gives root up. The test starts it.

#include <optional>
#include <string>

#include "tests/support/net.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/tls.hpp"

namespace genapp::tests {

class Mta {
 public:
  Mta();

  std::string config() const { return folder_ / "exim.conf"; }
  std::string pid_file() const { return folder_ / "spool/exim.pid"; }
  // What became of each connection.
  std::string log() const { return read_file(folder_ / "spool/main.log"); }
  std::uint16_t port() const { return port_.number(); }
  std::string port_text() const { return port_.text(); }
  // Where it speaks TLS from the first byte, with a certificate.
  std::string tls_port_text() const { return tls_port_.text(); }
  // `main`: further lines of the configuration; `rules`: what follows its first part.
  void configure(const std::string& main = "", const std::string& rules = "");
  // Offers STARTTLS, and has the second port.
  void serve_tls(const Certificate& certificate);
  // Greets everybody with 554.
  void refuse_all();
  // In the foreground.
  Command command() const { return {{"exim4", "-C", config(), "-bdf"}}; }
  // The line with which it greets; empty when nothing listens.
  std::string greeting() const;

 private:
  std::string ports() const;

  TempDir folder_;
  Port port_;
  Port tls_port_;
  std::optional<Certificate> certificate_;
};

}  // namespace genapp::tests
