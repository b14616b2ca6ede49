#include "remote/keys/staged_folder.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

constexpr char kPattern[] = ".XXXXXX";

std::string hidden_name(const std::string& place) {
  return "." + fs::path(place).filename().string();
}

std::string make_beside(const std::string& place, const std::string& parent) {
  std::string made = parent + "/" + hidden_name(place) + kPattern;
  if (!::mkdtemp(made.data())) throw common::system_error("making the folder " + place, errno);
  return made;
}

Directory open_made(const std::string& made) {
  try {
    return Directory::open(made, kFolderRole, Directory::Symlink::refuse);
  } catch (const common::Error&) {
    ::rmdir(made.c_str());
    throw;
  }
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
      folder_(open_made(staged_)) {}

void StagedFolder::remove_leftovers(const std::string& place) {
  const std::string begin = hidden_name(place) + ".";
  const std::size_t size = hidden_name(place).size() + sizeof kPattern - 1;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent_of(place), ignored)) {
    const std::string name = entry.path().filename();
    const bool ours = name.size() == size && name.starts_with(begin);
    if (ours && entry.is_directory(ignored) && !entry.is_symlink(ignored)) {
      fs::remove_all(entry.path(), ignored);
    }
  }
}

StagedFolder::~StagedFolder() {
  if (staged_.empty()) return;
  std::error_code ignored;
  // Of an unfinished one: without a descriptor, which may be what there were too few of.
  if (!exchanged_) {
    for (const std::string& name : names_) ::unlinkat(folder_.fd(), name.c_str(), 0);
    if (::rmdir(staged_.c_str()) == 0) return;
  }
  fs::remove_all(staged_, ignored);
}

void StagedFolder::add(const std::string& name, const std::string& content, unsigned mode) {
  folder_.write(name, content, Directory::Durability::synced, Directory::Existing::refuse, mode);
  names_.push_back(name);
}

void StagedFolder::add_link(const Directory& from, const std::string& name) {
  if (::linkat(from.fd(), name.c_str(), folder_.fd(), name.c_str(), 0) != 0) {
    throw common::system_error("keeping " + from.full(name), errno);
  }
  names_.push_back(name);
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
  exchanged_ = true;
  sync_parent();
}

void StagedFolder::sync_parent() const {
  Directory::open(parent_, kFolderRole, Directory::Symlink::follow).sync();
}

}  // namespace genapp::remote::keys
