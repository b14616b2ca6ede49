#pragma once

// The private authority in CONFIG_DIR/ca: ca.key, its own key; ca.crt, the authorities that are
// accepted; issued (issued.hpp). The one that signs is that of ca.crt whose key ca.key is, so that
// no order of writing the two leaves them at odds.

#include <optional>
#include <string>
#include <vector>

#include "common/directory.hpp"
#include "common/lock_file.hpp"
#include "remote/certificate.hpp"
#include "remote/keys/issue.hpp"
#include "remote/keys/issued.hpp"
#include "remote/private_key.hpp"

namespace genapp::remote::keys {

// Throws Error when there is one.
void init_authority(const std::string& name, const Validity& validity);

class Authority {
 public:
  // Locks the folder for as long as the object lives; waits up to 5 s. Throws Error.
  static Authority open();

  // The one that signs.
  const x509_st* certificate() const { return signer_->get(); }
  const std::string& path() const { return folder_.path(); }
  // ca.crt as it is handed out.
  const std::string& bundle() const { return bundle_; }
  // How many others ca.crt holds.
  std::size_t others() const { return certificates_.size() - 1; }

  // Recorded before it is returned. Throws Error when the authority has expired.
  Issue issue(Kind kind, const std::string& name, const std::vector<Address>& addresses,
              const Validity& validity) const;

  // Makes a new authority, which signs from now on; the present one stays accepted. The former name
  // is kept where none is given. Throws Error when there are two already.
  void rotate(const std::string& name, const Validity& validity);
  // Only the one that signs stays. Returns what is not accepted any more.
  std::vector<Issued> retire(std::time_t now);

 private:
  Authority(common::Directory folder, common::LockFile lock);
  void read();
  void write_bundle(const std::string& text) const;
  void record(const Issued& line) const;

  common::Directory folder_;
  common::LockFile lock_;
  std::string bundle_;
  std::vector<CertificatePtr> certificates_;
  const CertificatePtr* signer_ = nullptr;
  PrivateKeyPtr key_;
};

}  // namespace genapp::remote::keys
