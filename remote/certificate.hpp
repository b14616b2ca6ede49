#pragma once

// X.509 certificates, as both sides of the remote pair and `genapp keys` look at them.

#include <memory>
#include <string>
#include <vector>

struct x509_st;

namespace genapp::remote {

struct FreeCertificate {
  void operator()(x509_st* certificate) const;
};
using CertificatePtr = std::unique_ptr<x509_st, FreeCertificate>;

// What OpenSSL says about its newest error, which is taken from its queue; "" when there is none.
std::string openssl_problem();

// Every certificate of the PEM text, in its order. Throws Error, which begins with `path`, when
// there is none or one is damaged.
std::vector<CertificatePtr> parse_certificates(const std::string& pem, const std::string& path);

// The subject's common name: by it the policy and the log know whoever shows the certificate. Empty
// when there is none, or more than one, or one with bytes that are not printable ASCII.
std::string common_name(const x509_st* certificate);
// The same of whoever signed it.
std::string issuer_name(const x509_st* certificate);

// In hexadecimal digits, at least eight.
std::string serial_text(const x509_st* certificate);
// "DNS:guest1", "IP:192.0.2.1": who it is for, of a server. Bytes are as somebody has written them.
std::vector<std::string> alternative_names(const x509_st* certificate);
// PEM.
std::string certificate_text(const x509_st* certificate);

// For which side of TLS it may be used. An extended key usage that says so must be there: what may
// be used for everything may be used for too much.
bool may_be_server(const x509_st* certificate);
bool may_be_client(const x509_st* certificate);

// Rounded down, so that it is negative as soon as it has expired. By the wall clock, as all that
// judges certificates.
int days_left(const x509_st* certificate);
bool not_yet_valid(const x509_st* certificate);
// "2026-11-22 08:15:02 UTC"
std::string valid_from(const x509_st* certificate);
std::string valid_until(const x509_st* certificate);

}  // namespace genapp::remote
