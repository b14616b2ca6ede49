#pragma once

// Certificates for servers under test, made with the openssl program. The files are readable by
// all, since servers give root up before they read them, and gone with the object.

#include <string>

#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

struct Certificate {
  std::string chain;  // PEM file
  std::string key;    // PEM file
};

// A certificate authority.
class Authority {
 public:
  Authority();

  std::string file() const { return folder_ / "ca.pem"; }
  // For a server of this DNS name, also reached as 127.0.0.1 and ::1 when the name is localhost;
  // with -1 days it has expired. Throws std::runtime_error when openssl fails.
  Certificate issue(const std::string& name, int days = 30) const;

 private:
  TempDir folder_;
};

}  // namespace genapp::tests
