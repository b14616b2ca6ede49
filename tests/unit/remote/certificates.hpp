#pragma once

// Certificates of every good and bad kind, made with OpenSSL's library and without genapp's own
// code, so that a fault in that can't hide itself.

#include <memory>
#include <string>

#include "remote/tls.hpp"
#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

struct CertificateWish {
  std::string name = "host1";        // the common name; "": none
  std::string second_name{};         // a second common name
  std::string usage = "clientAuth";  // extended key usage; "": none
  std::string alternative{};         // "DNS:localhost,IP:127.0.0.1"; "": none
  int from = -1;                     // days from now
  int until = 100;
};

inline CertificateWish server_wish(const std::string& alternative = "DNS:localhost,IP:127.0.0.1") {
  return {.name = "guest1", .usage = "serverAuth", .alternative = alternative};
}

// A private authority. Files are in its own folder and gone with it.
class RemoteAuthority {
 public:
  explicit RemoteAuthority(int until_days = 100);
  ~RemoteAuthority();
  RemoteAuthority(const RemoteAuthority&) = delete;
  RemoteAuthority& operator=(const RemoteAuthority&) = delete;

  std::string file() const;  // its certificate
  // A key and a certificate; `authorities` is this one's certificate.
  remote::TlsFiles issue(const CertificateWish& wish);
  // The same, signed by itself.
  remote::TlsFiles self_signed(const CertificateWish& wish);

 private:
  struct Impl;
  remote::TlsFiles make(const CertificateWish& wish, bool self);

  std::unique_ptr<Impl> impl_;
};

// Replaces the file as a careful program does: written apart, renamed.
void replace_file(const std::string& path, const std::string& text);

}  // namespace genapp::tests
