#include "remote/certificate.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#include <algorithm>
#include <array>

#include "common/error.hpp"

namespace genapp::remote {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { ::BIO_free(bio); }
};

// Whoever asks for a passphrase would wait at the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

bool no_more_in_it(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

std::string one_name(const X509_NAME* name) {
  const int first = ::X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (first < 0 || ::X509_NAME_get_index_by_NID(name, NID_commonName, first) >= 0) return {};
  const ASN1_STRING* text = ::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(name, first));
  unsigned char* bytes = nullptr;
  const int size = ::ASN1_STRING_to_UTF8(&bytes, text);
  if (size < 0) return {};
  std::string found(bytes, bytes + size);
  ::OPENSSL_free(bytes);
  const bool printable =
      std::all_of(found.begin(), found.end(), [](char byte) { return byte >= ' ' && byte <= '~'; });
  return printable ? found : std::string();
}

bool may_be(const X509* given, unsigned use, int purpose) {
  // OpenSSL works a certificate's extensions out when it is first asked, and keeps them in it.
  X509* certificate = const_cast<X509*>(given);
  return (::X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) &&
         (::X509_get_extended_key_usage(certificate) & use) &&
         ::X509_check_purpose(certificate, purpose, 0) == 1;
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(::ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(::ASN1_STRING_length(text))};
}

// Empty for a kind that TLS servers do not have.
std::string alternative_name(const GENERAL_NAME* name) {
  int kind = 0;
  const auto* value = static_cast<const ASN1_STRING*>(::GENERAL_NAME_get0_value(name, &kind));
  if (kind == GEN_DNS) return "DNS:" + text_of(value);
  if (kind != GEN_IPADD) return {};
  const std::string bytes = text_of(value);
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == sizeof(in_addr) ? AF_INET : AF_INET6;
  if (family == AF_INET6 && bytes.size() != sizeof(in6_addr)) return {};
  return std::string("IP:") + ::inet_ntop(family, bytes.data(), text.data(), text.size());
}

std::string time_text(const ASN1_TIME* when) {
  tm parts{};
  std::array<char, 64> text{};
  if (::ASN1_TIME_to_tm(when, &parts) != 1) return "?";
  ::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

}  // namespace

void FreeCertificate::operator()(x509_st* certificate) const { ::X509_free(certificate); }

std::string openssl_problem() {
  const unsigned long error = ::ERR_peek_last_error();
  ::ERR_clear_error();
  if (error == 0) return {};
  if (ERR_SYSTEM_ERROR(error)) return common::errno_text(ERR_GET_REASON(error));
  const char* words = ::ERR_reason_error_string(error);
  return words ? words : "error " + std::to_string(error);
}

std::vector<CertificatePtr> parse_certificates(const std::string& pem, const std::string& path) {
  ::ERR_clear_error();
  const std::unique_ptr<BIO, FreeBio> bio(
      ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<CertificatePtr> found;
  while (X509* next = ::PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)) {
    found.emplace_back(next);
  }
  if (no_more_in_it(::ERR_peek_last_error())) {
    ::ERR_clear_error();
    if (!found.empty()) return found;
    throw common::Error(path + ": holds no certificate in PEM form");
  }
  throw common::Error(path + ": certificate " + std::to_string(found.size() + 1) +
                      " of it is damaged (" + openssl_problem() + ")");
}

std::string common_name(const x509_st* certificate) {
  return one_name(::X509_get_subject_name(certificate));
}

std::string issuer_name(const x509_st* certificate) {
  return one_name(::X509_get_issuer_name(certificate));
}

std::string serial_text(const x509_st* certificate) {
  constexpr std::size_t kLeast = 8;
  BIGNUM* number = ::ASN1_INTEGER_to_BN(::X509_get0_serialNumber(certificate), nullptr);
  char* digits = number ? ::BN_bn2hex(number) : nullptr;
  std::string text = digits ? digits : "";
  ::OPENSSL_free(digits);
  ::BN_free(number);
  if (text.size() < kLeast) text.insert(0, kLeast - text.size(), '0');
  return text;
}

std::vector<std::string> alternative_names(const x509_st* certificate) {
  std::vector<std::string> found;
  auto* names = static_cast<GENERAL_NAMES*>(
      ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const std::string text = alternative_name(sk_GENERAL_NAME_value(names, i));
    if (!text.empty()) found.push_back(text);
  }
  ::GENERAL_NAMES_free(names);
  return found;
}

std::string certificate_text(const x509_st* certificate) {
  const std::unique_ptr<BIO, FreeBio> bio(::BIO_new(::BIO_s_mem()));
  if (!bio || ::PEM_write_bio_X509(bio.get(), certificate) != 1) {
    throw common::Error("writing a certificate: " + openssl_problem());
  }
  char* bytes = nullptr;
  const long size = ::BIO_ctrl(bio.get(), BIO_CTRL_INFO, 0, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

bool may_be_server(const x509_st* certificate) {
  return may_be(certificate, XKU_SSL_SERVER, X509_PURPOSE_SSL_SERVER);
}

bool may_be_client(const x509_st* certificate) {
  return may_be(certificate, XKU_SSL_CLIENT, X509_PURPOSE_SSL_CLIENT);
}

int days_left(const x509_st* certificate) {
  int days = 0;
  int seconds = 0;
  if (::ASN1_TIME_diff(&days, &seconds, nullptr, ::X509_get0_notAfter(certificate)) != 1) {
    return -1;  // no time that anybody could read: as good as expired
  }
  return seconds < 0 ? days - 1 : days;
}

bool not_yet_valid(const x509_st* certificate) {
  return ::X509_cmp_current_time(::X509_get0_notBefore(certificate)) >= 0;
}

std::string valid_from(const x509_st* certificate) {
  return time_text(::X509_get0_notBefore(certificate));
}

std::string valid_until(const x509_st* certificate) {
  return time_text(::X509_get0_notAfter(certificate));
}

}  // namespace genapp::remote
