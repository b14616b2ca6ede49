#pragma once

// The files of a real mail server, Exim, on a port of its own; it runs as any user, and as root
// gives root up. The test starts it.

#include <string>

#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

class Mta {
 public:
  Mta();

  std::string config() const { return folder_ / "exim.conf"; }
  std::string pid_file() const { return folder_ / "spool/exim.pid"; }
  std::uint16_t port() const { return port_.number(); }
  // `main`: further lines of the configuration.
  void configure(const std::string& main = "");
  // The line with which it greets; empty when nothing listens.
  std::string greeting() const;

 private:
  TempDir folder_;
  Port port_;
};

}  // namespace genapp::tests
