#pragma once

// The files of a real nginx on a port of its own; it runs as any user. The test starts it.

#include <string>

#include "tests/support/net.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

class Nginx {
 public:
  Nginx();

  std::string config() const { return folder_ / "nginx.conf"; }
  std::string pid_file() const { return folder_ / "nginx.pid"; }
  std::uint16_t port() const { return port_.number(); }
  std::string url() const { return "http://127.0.0.1:" + port_.text() + "/"; }
  // `main`: further lines of the configuration.
  void configure(const std::string& main = "");
  bool serves() const;

 private:
  TempDir folder_;
  Port port_;
};

// Whether a GET gets 200.
bool serves_page(std::uint16_t port);
// Lines for the block http: what nginx would else make in /var, where only root may.
std::string nginx_folders(const std::string& in);

}  // namespace genapp::tests
