#pragma once

// Private keys in PEM files.

#include <memory>
#include <string>

struct evp_pkey_st;

namespace genapp::remote {

struct FreePrivateKey {
  void operator()(evp_pkey_st* key) const;
};
using PrivateKeyPtr = std::unique_ptr<evp_pkey_st, FreePrivateKey>;

// Throws Error when the file at `path` belongs to neither root nor us, or when others can read it,
// or its group change it. The group may read it (root:genapp 0640).
void check_key_rights(const std::string& path);

// Throws Error, which begins with `path`, when there is no key in the text or it has a passphrase:
// nobody is asked for one.
PrivateKeyPtr parse_private_key(const std::string& pem, const std::string& path);

}  // namespace genapp::remote
