#pragma once

#include <filesystem>
#include <string>

namespace genapp::tests {

// A directory of the test's own, gone with it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void write_file(const std::string& path, const std::string& text);
// Empty when there is no such file.
std::string read_file(const std::string& path);

}  // namespace genapp::tests
