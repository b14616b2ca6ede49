#pragma once

// An open directory, and the few things genapp does with files in it. Everything goes through the
// directory's descriptor: a directory that is renamed or replaced under us can't split our view.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/fd.hpp"

namespace genapp::common {

class Directory {
 public:
  enum class Symlink { follow, refuse };
  // Throws Error when `path` can't be opened as a directory; `role` says in the message what it is.
  // `symlink` rules on a symbolic link as the path's last part.
  static Directory open(const std::string& path, std::string_view role, Symlink symlink);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  // "PATH/NAME", for messages.
  std::string full(const std::string& name) const { return path_ + "/" + name; }

  bool exists(const std::string& name) const;
  // Names of the files, sorted, without those that begin with a dot. Throws Error.
  std::vector<std::string> names() const;
  // Removes a file that may be gone already. True when it was there. Throws Error.
  bool unlink(const std::string& name) const;
  // The directory `name` in this one, made with `mode` (and the umask) when missing. Throws Error
  // when it can't be, or is a symlink, owned by neither root nor the caller, or writable by its
  // group or others: who can write there can replace what is in it.
  Directory subdirectory(const std::string& name, unsigned mode) const;
  // The same; nothing when it is not there.
  std::optional<Directory> subdirectory_if_there(const std::string& name) const;
  // Removes an empty directory that may be gone already. True when it was there. Throws Error.
  bool remove_directory(const std::string& name) const;
  // The whole file; nothing when it is not there. Throws Error when it can't be read, is not a
  // regular file, or holds more than `most` bytes.
  std::optional<std::string> read(const std::string& name, std::size_t most) const;

  // Makes earlier changes of names stay through a crash of the machine. Throws Error.
  void sync() const;

  enum class Durability {
    visible,  // readers see the old or the new file, never a part of either
    synced,   // and so it stays through a crash of the machine: fsync of the file and the directory
  };
  enum class Existing { replace, refuse };
  // Writes a temporary file beside it and renames it to `name`, mode 0600 or as given.
  // Returns false when the file exists and `existing` is refuse. Throws Error, leaving no temporary
  // file. One writer at a time a name: the callers hold a lock.
  bool write(const std::string& name, std::string_view content, Durability durability,
             Existing existing = Existing::replace, unsigned mode = 0600) const;

 private:
  Directory(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Fd fd_;
  std::string path_;
};

// The whole file at `path`, symlinks followed; nothing when it is not there. Throws Error as
// Directory::read.
std::optional<std::string> read_file(const std::string& path, std::size_t most);

// The run directory (paths::run_dir()). Throws Error when it is missing, not a directory, a
// symlink, owned by neither root nor the caller, or writable by others: who can write there can
// make a dead resource look healthy. The daemons' own group may (docs/security.md).
Directory open_run_dir();

// The same, made when it does not exist and its parent does: for those who are called on nodes that
// nobody prepared. Mode 0755; by root, where there is a user for daemons, 0770 with its group.
Directory make_run_dir();

// The same; nothing when it does not exist.
std::optional<Directory> open_run_dir_if_there();

}  // namespace genapp::common
