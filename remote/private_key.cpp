#include "remote/private_key.hpp"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.hpp"
#include "remote/certificate.hpp"

namespace genapp::remote {
namespace {

int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

void FreePrivateKey::operator()(evp_pkey_st* key) const { ::EVP_PKEY_free(key); }

void check_key_rights(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) throw common::system_error(path, errno);
  if (file.st_uid != 0 && file.st_uid != ::geteuid()) {
    throw common::Error(path + ": belongs to user " + std::to_string(file.st_uid) +
                        ", neither root nor us; chown it");
  }
  if (file.st_mode & (S_IRWXO | S_IWGRP)) {
    throw common::Error(path +
                        ": others can read or change this key; chmod 600 it, and make a "
                        "new one if somebody may have read it");
  }
}

PrivateKeyPtr parse_private_key(const std::string& pem, const std::string& path) {
  ::ERR_clear_error();
  BIO* bio = ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  bool asked = false;
  PrivateKeyPtr key(::PEM_read_bio_PrivateKey(bio, nullptr, refuse_passphrase, &asked));
  ::BIO_free(bio);
  if (key) return key;
  const std::string words = openssl_problem();
  if (asked) {
    throw common::Error(path +
                        ": has a passphrase, which nobody is there to type; remove it with "
                        "`openssl pkey`");
  }
  throw common::Error(path + ": holds no private key in PEM form (" + words + ")");
}

}  // namespace genapp::remote
