#include "tests/unit/remote/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include <filesystem>
#include <stdexcept>

namespace genapp::tests {
namespace {

namespace fs = std::filesystem;

using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;
using Cert = std::unique_ptr<X509, decltype(&::X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&::BIO_free)>;

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("test certificates: ") + what);
}

Key new_key() {
  Key key(::EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), &::EVP_PKEY_free);
  must(key != nullptr, "key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  must(extension && ::X509_add_ext(certificate, extension, -1) == 1, value.c_str());
  ::X509_EXTENSION_free(extension);
}

void add_name(X509_NAME* name, const char* field, const std::string& text) {
  must(::X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1,
                                    0) == 1,
       "name");
}

Cert blank(long serial, EVP_PKEY* key, int from, int until) {
  Cert made(::X509_new(), &::X509_free);
  ::X509_set_version(made.get(), 2);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), serial);
  ::X509_gmtime_adj(::X509_getm_notBefore(made.get()), from * 86400L);
  ::X509_gmtime_adj(::X509_getm_notAfter(made.get()), until * 86400L);
  must(::X509_set_pubkey(made.get(), key) == 1, "public key");
  return made;
}

template <typename Write>
std::string pem(Write write) {
  const Bio bio(::BIO_new(::BIO_s_mem()), &::BIO_free);
  must(write(bio.get()) == 1, "PEM");
  char* bytes = nullptr;
  const long size = ::BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return pem([&](BIO* bio) { return ::PEM_write_bio_X509(bio, certificate); });
}

std::string pem_of(EVP_PKEY* key) {
  return pem([&](BIO* bio) {
    return ::PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace

struct RemoteAuthority::Impl {
  TempDir dir;
  Key key = new_key();
  Cert own{nullptr, &::X509_free};
  int issued = 1;
};

RemoteAuthority::RemoteAuthority(int until_days) : impl_(std::make_unique<Impl>()) {
  impl_->own = blank(1, impl_->key.get(), -1000, until_days);
  X509* own = impl_->own.get();
  // Each has the same name, as a rotation's two authorities may.
  add_name(::X509_get_subject_name(own), "CN", "test authority");
  ::X509_set_issuer_name(own, ::X509_get_subject_name(own));
  add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(own, own, NID_subject_key_identifier, "hash");
  add_extension(own, own, NID_key_usage, "critical,keyCertSign");
  must(::X509_sign(own, impl_->key.get(), ::EVP_sha256()) > 0, "signature");
  write_file(file(), pem_of(own));
}

RemoteAuthority::~RemoteAuthority() = default;

std::string RemoteAuthority::file() const { return impl_->dir / "ca.crt"; }

remote::TlsFiles RemoteAuthority::make(const CertificateWish& wish, bool self) {
  const std::string number = std::to_string(++impl_->issued);
  const Key key = new_key();
  const Cert made = blank(impl_->issued, key.get(), wish.from, wish.until);
  X509_NAME* name = ::X509_get_subject_name(made.get());
  if (!wish.name.empty()) add_name(name, "CN", wish.name);
  if (!wish.second_name.empty()) add_name(name, "CN", wish.second_name);
  if (wish.name.empty()) add_name(name, "O", "nobody");
  X509* issuer = self ? made.get() : impl_->own.get();
  ::X509_set_issuer_name(made.get(), ::X509_get_subject_name(issuer));
  if (!self) add_extension(made.get(), issuer, NID_authority_key_identifier, "keyid");
  if (!wish.usage.empty()) add_extension(made.get(), issuer, NID_ext_key_usage, wish.usage);
  if (!wish.alternative.empty()) {
    add_extension(made.get(), issuer, NID_subject_alt_name, wish.alternative);
  }
  must(::X509_sign(made.get(), self ? key.get() : impl_->key.get(), ::EVP_sha256()) > 0,
       "signature");

  const remote::TlsFiles files{impl_->dir / (number + ".crt"), impl_->dir / (number + ".key"),
                               file()};
  write_file(files.certificate, pem_of(made.get()));
  write_file(files.key, pem_of(key.get()));
  fs::permissions(files.key, fs::perms(0600));
  return files;
}

remote::TlsFiles RemoteAuthority::issue(const CertificateWish& wish) { return make(wish, false); }

remote::TlsFiles RemoteAuthority::self_signed(const CertificateWish& wish) {
  return make(wish, true);
}

void replace_file(const std::string& path, const std::string& text) {
  const std::string apart = path + ".new";
  write_file(apart, text);
  fs::permissions(apart, fs::status(path).permissions());
  fs::rename(apart, path);
}

}  // namespace genapp::tests
