#include "remote/keys/staged_folder.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include <filesystem>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::remote::keys {
namespace {

namespace fs = std::filesystem;
using common::Directory;

constexpr char kFolderRole[] = "folder";

std::string parent_of(const std::string& place) {
  const std::string parent = fs::path(place).parent_path();
  return parent.empty() ? "." : parent;
}

std::string make_beside(const std::string& place, const std::string& parent) {
  std::string made = parent + "/." + fs::path(place).filename().string() + ".XXXXXX";
  if (!::mkdtemp(made.data())) throw common::system_error("making the folder " + place, errno);
  return made;
}

}  // namespace

std::string StagedFolder::checked(const std::string& place) {
  std::string path = place;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::string name = fs::path(path).filename();
  if (name.empty() || name == "." || name == ".." || name == "/") {
    throw common::Error("folder " + common::quoted(path) + ": name one that is to be made",
                        common::ExitCode::usage);
  }
  return path;
}

StagedFolder::StagedFolder(const std::string& place)
    : place_(checked(place)),
      parent_(parent_of(place_)),
      staged_(make_beside(place_, parent_)),
      folder_(Directory::open(staged_, kFolderRole, Directory::Symlink::refuse)) {}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  if (!staged_.empty()) fs::remove_all(staged_, ignored);
}

void StagedFolder::add(const std::string& name, const std::string& content, unsigned mode) const {
  folder_.write(name, content, Directory::Durability::synced, Directory::Existing::refuse, mode);
}

bool StagedFolder::take_place() {
  if (::rename(staged_.c_str(), place_.c_str()) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) return false;
    throw common::system_error("making the folder " + place_, errno);
  }
  staged_.clear();
  sync_parent();
  return true;
}

void StagedFolder::exchange() {
  if (::renameat2(AT_FDCWD, staged_.c_str(), AT_FDCWD, place_.c_str(), RENAME_EXCHANGE) != 0) {
    const std::string hint =
        errno == EBUSY ? " (it is mounted there by itself: use --out and copy the files)" : "";
    throw common::Error("replacing the folder " + place_ + ": " + common::errno_text(errno) + hint);
  }
  sync_parent();
}

void StagedFolder::sync_parent() const {
  Directory::open(parent_, kFolderRole, Directory::Symlink::follow).sync();
}

}  // namespace genapp::remote::keys
