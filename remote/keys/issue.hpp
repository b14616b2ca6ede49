#pragma once

// Makes keys and certificates: EC keys on P-256 with SHA-256, which every TLS 1.3 has. In memory.

#include <ctime>
#include <string>
#include <vector>

#include "remote/keys/address.hpp"

struct evp_pkey_st;
struct x509_st;

namespace genapp::remote::keys {

enum class Kind {
  host,   // of a manager (clientAuth)
  guest,  // of an appserver (serverAuth)
};

struct Issue {
  std::string key;          // PEM, PKCS #8, without a passphrase
  std::string certificate;  // PEM
};

// By the wall clock. Valid from a day before, since not every machine's clock is right.
struct Validity {
  std::time_t now = 0;
  int days = 0;
};

// A root that may sign what ends a chain, and nothing else. Its common name is `name` and eight
// digits of its serial, "node1 3f2a9c01": a rotation's two are told apart by it.
Issue make_authority(const std::string& name, const Validity& validity);
// The part of such a name that was given to make_authority().
std::string authority_base_name(const std::string& common_name);

// Not valid for longer than the authority is. `addresses` are a guest's.
Issue issue(Kind kind, const std::string& name, const std::vector<Address>& addresses,
            const Validity& validity, x509_st* authority, evp_pkey_st* authority_key);

}  // namespace genapp::remote::keys
