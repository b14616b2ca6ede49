#pragma once

// Certificates of all kinds, and a TLS server, made with the program openssl.

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/net.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

struct Certificate {
  std::string file;  // PEM
  std::string key;
};

// What a server on this machine is called: localhost, and its addresses.
inline constexpr char kLocalhost[] = "DNS:localhost,IP:127.0.0.1,IP:::1";

// A certificate authority of the test's own. Its files are readable by all, since servers give root
// up before they read them, and gone with the object.
class Authority {
 public:
  Authority();

  const std::string& file() const { return own_.file; }
  // For `name`, "DNS:example.org" or "IP:127.0.0.1", and so many days; -1: expired a day
  // ago.
  Certificate issue(const std::string& name, int days = 100);
  // Signed by itself.
  Certificate self_signed(const std::string& name);

 private:
  std::string path(const std::string& name) const { return dir_ / name; }

  TempDir dir_;
  int issued_ = 0;
  Certificate own_;
};

// Accepts TLS on 127.0.0.1 and answers with each line reversed, or as `options` of s_server say.
class TlsServer {
 public:
  explicit TlsServer(const Certificate& certificate, std::vector<std::string> options = {"-rev"});

  std::uint16_t port() const { return port_.number(); }
  // What it printed: with "-servername" and the like.
  std::string output() const { return process_.out() + process_.err(); }

 private:
  Port port_;
  Process process_;
};

}  // namespace genapp::tests
