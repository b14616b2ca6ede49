#pragma once

// A stand-in of LifeKeeper's ins_list, in a folder of the test's. It answers as SIOS's pages and
// public scripts describe the real one (docs/lifekeeper.md); nothing here has seen the product.

#include <map>
#include <string>
#include <vector>

#include "tests/support/temp_dir.hpp"

namespace genapp::tests {

class InsListStandIn {
 public:
  // LifeKeeper is installed and has no resource.
  InsListStandIn();

  // For LKROOT.
  std::string root() const { return folder_.path(); }

  // A resource: its tag and the fields of its record; separated by byte 1 when it is printed.
  void set(const std::string& tag, const std::string& id, const std::string& info,
           const std::string& state);
  void set(const std::string& tag, const std::vector<std::string>& fields);
  void remove(const std::string& tag);
  // The record's line as it stands, line feed and all.
  void set_raw(const std::string& tag, const std::string& text);

  // In its place: another script, or a file that is not executable, or nothing.
  void replace(const std::string& script);
  void make_unexecutable();
  void uninstall();

  // The environment that it was last called with, its arguments, and how often it was called.
  std::string environment() const { return read_file(folder_ / "environment"); }
  std::string arguments() const { return read_file(folder_ / "arguments"); }
  long calls() const;

 private:
  std::string program() const { return folder_ / "bin/ins_list"; }

  TempDir folder_;
};

}  // namespace genapp::tests
