#pragma once

// A folder that is there with all its files or not at all: filled under a name of its own beside
// its place, then renamed. Its mode is 0700 whatever the umask is.

#include <string>
#include <vector>

#include "common/directory.hpp"

namespace genapp::remote::keys {

class StagedFolder {
 public:
  // `place` without slashes at its end. Throws Error (exit code 64) when that is no name of a
  // folder that could be made: ".", "..", "/".
  static std::string checked(const std::string& place);

  // Takes away what was killed before it was in its place: old keys. The caller holds a lock that
  // whoever makes a folder of this place holds.
  static void remove_leftovers(const std::string& place);

  // `place` is where it will be; its parent exists. Throws Error.
  explicit StagedFolder(const std::string& place);
  // Takes away what is not in its place: an unfinished one, or what was there before.
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const common::Directory& folder() const { return folder_; }
  // Throws Error.
  void add(const std::string& name, const std::string& content, unsigned mode);
  // The file `name` of another folder, under both names the same: owner, mode and time. Throws
  // Error.
  void add_link(const common::Directory& from, const std::string& name);

  // Renames it to its place, where nothing is, or an empty folder. False when there is more. Throws
  // Error.
  bool take_place();
  // Changes places with the folder that is there. Throws Error.
  void exchange();

 private:
  void sync_parent() const;

  std::string place_;
  std::string parent_;
  std::string staged_;  // the path under its own name; "": in its place
  common::Directory folder_;
  std::vector<std::string> names_;  // what was added
  bool exchanged_ = false;
};

}  // namespace genapp::remote::keys
