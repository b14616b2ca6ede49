#pragma once

// Hands keys out: as a new folder, which is copied to another machine, or to the folder of this
// machine's programs. All files of a set appear at once, also when the machine crashes.

#include <string>
#include <vector>

namespace genapp::remote::keys {

struct KeyFile {
  std::string name;
  std::string content;
  bool secret = false;  // mode 0600, else 0644
};

// Throws Error when something is there, except an empty folder: looked at before a key is made.
void check_key_place(const std::string& place);

// Makes the folder `place`. Throws Error when something is there, except an empty folder.
void make_key_folder(const std::string& place, const std::vector<KeyFile>& files);

// Puts the files to CONFIG_DIR/tls, whose other files stay as they are. What replaces a file has
// its owner, and its mode as far as that is safe. The caller holds the authority's lock. Throws
// Error.
void install_keys(const std::vector<KeyFile>& files);

}  // namespace genapp::remote::keys
