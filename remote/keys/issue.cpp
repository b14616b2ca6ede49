#include "remote/keys/issue.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>

#include "common/error.hpp"
#include "remote/certificate.hpp"
#include "remote/private_key.hpp"

namespace genapp::remote::keys {
namespace {

// Whatever OpenSSL refuses here is memory, or its configuration (FIPS).
void must(bool done, const char* what) {
  if (!done) throw common::Error(std::string("making a key: ") + what + ": " + openssl_problem());
}

PrivateKeyPtr new_key() {
  PrivateKeyPtr key(::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  must(key != nullptr, "key");
  return key;
}

void set_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  must(::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1, "random number");
  const std::unique_ptr<BIGNUM, decltype(&::BN_free)> number(
      ::BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr), &::BN_free);
  must(number && ::BN_to_ASN1_INTEGER(number.get(), ::X509_get_serialNumber(certificate)),
       "serial");
}

// Version 3, with a serial, its times, and the public half of `key`.
CertificatePtr blank(evp_pkey_st* key, const Validity& validity) {
  constexpr long kBeforeSeconds = 24L * 60 * 60;
  CertificatePtr made(::X509_new());
  must(made != nullptr, "certificate");
  std::time_t now = validity.now;
  must(::X509_set_version(made.get(), X509_VERSION_3) == 1, "version");
  set_serial(made.get());
  must(::X509_time_adj_ex(::X509_getm_notBefore(made.get()), 0, -kBeforeSeconds, &now) &&
           ::X509_time_adj_ex(::X509_getm_notAfter(made.get()), validity.days, 0, &now),
       "time");
  must(::X509_set_pubkey(made.get(), key) == 1, "public key");
  return made;
}

void set_name(X509* certificate, const std::string& name) {
  must(::X509_NAME_add_entry_by_NID(::X509_get_subject_name(certificate), NID_commonName,
                                    MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1,
       "name");
}

void extend(X509* certificate, X509* issuer, int what, const char* value) {
  X509V3_CTX context{};
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, what, value);
  const bool added = extension && ::X509_add_ext(certificate, extension, -1) == 1;
  ::X509_EXTENSION_free(extension);
  must(added, value);
}

template <typename Write>
std::string pem_by(Write write) {
  const std::unique_ptr<BIO, decltype(&::BIO_free)> bio(::BIO_new(::BIO_s_secmem()), &::BIO_free);
  must(bio && write(bio.get()) == 1, "PEM");
  char* bytes = nullptr;
  const long size = ::BIO_ctrl(bio.get(), BIO_CTRL_INFO, 0, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

Issue sign(X509* certificate, evp_pkey_st* own, evp_pkey_st* signer) {
  must(::X509_sign(certificate, signer, ::EVP_sha256()) > 0, "signature");
  return {pem_by([&](BIO* bio) {
            return ::PEM_write_bio_PKCS8PrivateKey(bio, own, nullptr, nullptr, 0, nullptr, nullptr);
          }),
          pem_by([&](BIO* bio) { return ::PEM_write_bio_X509(bio, certificate); })};
}

}  // namespace

Issue make_authority(const std::string& name, const Validity& validity) {
  const PrivateKeyPtr key = new_key();
  const CertificatePtr made = blank(key.get(), validity);
  X509* certificate = made.get();
  set_name(certificate, name + " " + serial_text(certificate).substr(0, 8));
  must(::X509_set_issuer_name(certificate, ::X509_get_subject_name(certificate)) == 1, "issuer");
  extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(certificate, certificate, NID_subject_key_identifier, "hash");
  return sign(certificate, key.get(), key.get());
}

std::string authority_base_name(const std::string& common_name) {
  return common_name.substr(0, common_name.find(' '));
}

Issue issue(Kind kind, const std::string& name, const std::vector<Address>& addresses,
            const Validity& validity, x509_st* authority, evp_pkey_st* authority_key) {
  const PrivateKeyPtr key = new_key();
  const CertificatePtr made = blank(key.get(), validity);
  X509* certificate = made.get();
  const ASN1_TIME* last = ::X509_get0_notAfter(authority);
  if (::ASN1_TIME_compare(::X509_get0_notAfter(certificate), last) > 0) {
    must(::X509_set1_notAfter(certificate, last) == 1, "time");
  }
  set_name(certificate, name);
  must(::X509_set_issuer_name(certificate, ::X509_get_subject_name(authority)) == 1, "issuer");
  extend(certificate, authority, NID_basic_constraints, "critical,CA:FALSE");
  extend(certificate, authority, NID_key_usage, "critical,digitalSignature");
  extend(certificate, authority, NID_ext_key_usage,
         kind == Kind::host ? "clientAuth" : "serverAuth");
  extend(certificate, authority, NID_subject_key_identifier, "hash");
  extend(certificate, authority, NID_authority_key_identifier, "keyid:always");
  const std::string alternative = alternative_names_text(addresses);
  if (!alternative.empty()) {
    extend(certificate, authority, NID_subject_alt_name, alternative.c_str());
  }
  return sign(certificate, key.get(), authority_key);
}

}  // namespace genapp::remote::keys
