#include "remote/keys/installation.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "remote/keys/staged_folder.hpp"

namespace genapp::remote::keys {
namespace {

namespace fs = std::filesystem;
namespace paths = common::paths;
using common::Directory;

unsigned mode_of(const KeyFile& file) { return file.secret ? 0600 : 0644; }

void fill(StagedFolder& staged, const std::vector<KeyFile>& files) {
  for (const KeyFile& file : files) staged.add(file.name, file.content, mode_of(file));
}

bool is_among(const std::vector<KeyFile>& files, const std::string& name) {
  return std::any_of(files.begin(), files.end(),
                     [&](const KeyFile& file) { return file.name == name; });
}

// A group that could read the key before still can: a daemon that is not root reads it so.
void take_over_rights(const Directory& from, const Directory& to, const KeyFile& file) {
  struct stat old {};
  if (::fstatat(from.fd(), file.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (!S_ISREG(old.st_mode)) return;
  const unsigned allowed = file.secret ? 0640 : 0644;
  const unsigned mode = (old.st_mode & allowed) | 0600;
  if (::fchownat(to.fd(), file.name.c_str(), old.st_uid, old.st_gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fchmodat(to.fd(), file.name.c_str(), mode, 0) != 0) {
    throw common::system_error("giving " + to.full(file.name) + " to its owner", errno);
  }
}

void take_over_folder_rights(const Directory& from, const Directory& to) {
  struct stat old {};
  if (::fstat(from.fd(), &old) != 0 || ::fchown(to.fd(), old.st_uid, old.st_gid) != 0 ||
      ::fchmod(to.fd(), old.st_mode & 0755) != 0) {
    throw common::system_error("giving " + from.path() + " to its owner", errno);
  }
}

common::Error is_taken(const std::string& place) {
  return common::Error(place +
                       ": is there already, and not empty; remove it, or name another folder with "
                       "--out");
}

}  // namespace

void check_key_place(const std::string& given) {
  const std::string place = StagedFolder::checked(given);
  std::error_code gone;
  const bool there = fs::exists(fs::symlink_status(place, gone));
  if (!there || (fs::is_directory(place, gone) && fs::is_empty(place, gone) && !gone)) return;
  throw is_taken(place);
}

void make_key_folder(const std::string& place, const std::vector<KeyFile>& files) {
  StagedFolder staged(place);
  fill(staged, files);
  if (!staged.take_place()) throw is_taken(place);
}

void install_keys(const std::vector<KeyFile>& files) {
  const Directory config =
      Directory::open(paths::config_dir(), "configuration directory", Directory::Symlink::follow);
  const std::string place = paths::tls_dir();
  const auto old = config.subdirectory_if_there(fs::path(place).filename());
  StagedFolder::remove_leftovers(place);
  StagedFolder staged(place);
  fill(staged, files);
  if (!old) {
    if (staged.take_place()) return;
    throw common::Error(place + ": somebody has made it meanwhile; try again");
  }
  for (const auto& entry : fs::directory_iterator(old->path())) {
    const std::string name = entry.path().filename();
    if (entry.is_directory() && !entry.is_symlink()) {
      throw common::Error(entry.path().string() +
                          ": is a folder, which does not belong here; move it away");
    }
    if (!is_among(files, name)) staged.add_link(*old, name);
  }
  for (const KeyFile& file : files) take_over_rights(*old, staged.folder(), file);
  take_over_folder_rights(*old, staged.folder());
  staged.folder().sync();
  staged.exchange();
}

}  // namespace genapp::remote::keys
