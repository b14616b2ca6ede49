#pragma once

// The packages that the tests before these have made, and what is in them.

#include <map>
#include <string>
#include <vector>

namespace genapp::tests {

// Of the version under test, and a higher one.
enum class Release { current = 1, next = 2 };

// The path of a package's file. Throws std::runtime_error when there is not exactly one.
std::string package_file(const std::string& package, Release release = Release::current);

// A program's standard output; throws std::runtime_error when it fails.
std::string output_of(const std::vector<std::string>& argv);
std::vector<std::string> lines_of(const std::string& text);

// One file of a package, as `dpkg-deb -c` lists it.
struct Entry {
  std::string mode;    // "-rwxr-xr-x"
  std::string owner;   // "root/root"
  std::string target;  // of a symbolic link

  bool is_folder() const { return mode[0] == 'd'; }
  bool is_file() const { return mode[0] == '-'; }
  bool is_link() const { return mode[0] == 'l'; }
};
// By absolute path; folders without a slash at their end.
std::map<std::string, Entry> contents(const std::string& package_file);

// Those of the paths that begin so.
std::vector<std::string> files_under(const std::map<std::string, Entry>& entries,
                                     const std::string& folder);

}  // namespace genapp::tests
