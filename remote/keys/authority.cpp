#include "remote/keys/authority.hpp"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "common/error.hpp"
#include "common/paths.hpp"
#include "remote/keys/staged_folder.hpp"

namespace genapp::remote::keys {
namespace {

namespace paths = common::paths;
using common::Directory;
using common::Error;
using common::LockFile;

constexpr char kKeyName[] = "ca.key";
constexpr char kBundleName[] = "ca.crt";
constexpr char kIssuedName[] = "issued";
constexpr char kLockName[] = ".lock";
constexpr std::size_t kMostPemBytes = 1 << 20;
constexpr std::size_t kMostIssuedBytes = 64 << 20;

Directory open_config_dir() {
  return Directory::open(paths::config_dir(), "configuration directory",
                         Directory::Symlink::follow);
}

Directory open_folder() {
  const std::string place = paths::authority_dir();
  auto folder = open_config_dir().subdirectory_if_there(std::filesystem::path(place).filename());
  if (!folder) throw Error("no authority in " + place + "; make one with `genapp keys init`");
  return std::move(*folder);
}

std::string read_part(const Directory& folder, const char* name) {
  auto text = folder.read(name, kMostPemBytes);
  if (!text) {
    throw Error(folder.full(name) + ": " + common::errno_text(ENOENT) +
                "; put it back from a backup, or begin anew with `genapp keys init`");
  }
  return std::move(*text);
}

std::string iso_time(std::time_t when) {
  tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&when, &parts);
  ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string iso_end(const X509* certificate) {
  tm parts{};
  std::array<char, 32> text{};
  if (::ASN1_TIME_to_tm(::X509_get0_notAfter(certificate), &parts) != 1) return "?";
  ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace

void init_authority(const std::string& name, const Validity& validity) {
  const std::string place = paths::authority_dir();
  const Directory config = open_config_dir();
  const Error there(place +
                    ": is there already, and stays as it is; a new authority beside it: "
                    "`genapp keys rotate`");
  // Looked at first, though the rename below decides: no key is made for nothing.
  const auto present = config.subdirectory_if_there(std::filesystem::path(place).filename());
  if (present && !present->names().empty()) throw there;
  const Issue made = make_authority(name, validity);
  StagedFolder staged(place);
  staged.add(kKeyName, made.key, 0600);
  staged.add(kBundleName, made.certificate, 0644);
  if (!staged.take_place()) throw there;
}

Authority::Authority(Directory folder, LockFile lock)
    : folder_(std::move(folder)), lock_(std::move(lock)) {}

Authority Authority::open() {
  Directory folder = open_folder();
  LockFile lock = LockFile::acquire(folder, kLockName);
  Authority opened(std::move(folder), std::move(lock));
  opened.read();
  return opened;
}

void Authority::read() {
  check_key_rights(folder_.full(kKeyName));
  key_ = parse_private_key(read_part(folder_, kKeyName), folder_.full(kKeyName));
  bundle_ = read_part(folder_, kBundleName);
  certificates_ = parse_certificates(bundle_, folder_.full(kBundleName));
  const auto signer =
      std::find_if(certificates_.begin(), certificates_.end(), [&](const CertificatePtr& one) {
        return ::X509_check_private_key(one.get(), key_.get()) == 1;
      });
  ::ERR_clear_error();
  if (signer == certificates_.end()) {
    throw Error(folder_.full(kKeyName) + ": is the key of no certificate in " +
                folder_.full(kBundleName) + "; put both back from a backup");
  }
  signer_ = &*signer;
}

Issue Authority::issue(Kind kind, const std::string& name, const std::vector<Address>& addresses,
                       const Validity& validity) const {
  X509* signer = signer_->get();
  if (days_left(signer) < 0) {
    throw Error(folder_.full(kBundleName) + ": the authority has expired on " +
                valid_until(signer) + "; make a new one with `genapp keys rotate`");
  }
  Issue made = keys::issue(kind, name, addresses, validity, signer, key_.get());
  const auto certificate = parse_certificates(made.certificate, name);
  record({iso_time(validity.now), serial_text(certificate.front().get()),
          kind == Kind::host ? "host" : "guest", name, iso_end(certificate.front().get()),
          common_name(signer)});
  return made;
}

void Authority::record(const Issued& issued) const {
  const std::string path = folder_.full(kIssuedName);
  const common::Fd file(::openat(folder_.fd(), kIssuedName,
                                 O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) throw common::system_error("recording in " + path, errno);
  struct stat info {};
  char last = '\n';
  if (::fstat(file.get(), &info) != 0 ||
      (info.st_size > 0 && ::pread(file.get(), &last, 1, info.st_size - 1) < 0)) {
    throw common::system_error("recording in " + path, errno);
  }
  // After a line that a crash has cut.
  const std::string line = (last == '\n' ? "" : "\n") + format_issued(issued);
  const ssize_t written = ::write(file.get(), line.data(), line.size());
  if (written < 0 || ::fsync(file.get()) != 0) {
    throw common::system_error("recording in " + path, errno);
  }
  if (static_cast<std::size_t>(written) != line.size()) {
    throw common::system_error("recording in " + path, ENOSPC);
  }
  folder_.sync();
}

void Authority::rotate(const std::string& name, const Validity& validity) {
  if (others() > 0) {
    throw Error(folder_.full(kBundleName) + ": holds " + std::to_string(certificates_.size()) +
                " authorities, of the last rotation; end that first with `genapp keys retire`");
  }
  const std::string base = name.empty() ? authority_base_name(common_name(certificate())) : name;
  const Issue made = make_authority(base, validity);
  // In this order: until the key is there, the former authority is the one that signs.
  write_bundle(made.certificate + bundle_);
  folder_.write(kKeyName, made.key, Directory::Durability::synced);
  read();
}

std::vector<Issued> Authority::retire(std::time_t now) {
  const std::string records = folder_.read(kIssuedName, kMostIssuedBytes).value_or("");
  auto lost = left_behind(parse_issued(records), common_name(certificate()), iso_time(now));
  write_bundle(certificate_text(certificate()));
  read();
  return lost;
}

void Authority::write_bundle(const std::string& text) const {
  folder_.write(kBundleName, text, Directory::Durability::synced, Directory::Existing::replace,
                0644);
}

}  // namespace genapp::remote::keys
