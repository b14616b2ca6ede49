#include "tests/packaging/packages.hpp"

#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "tests/support/process.hpp"

namespace genapp::tests {

namespace fs = std::filesystem;

std::string package_file(const std::string& package, Release release) {
  const fs::path folder = fs::path(GENAPP_PACKAGES) / std::to_string(static_cast<int>(release));
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(package + "_") && name.ends_with(".deb")) found.push_back(entry.path());
  }
  if (found.size() != 1) {
    throw std::runtime_error(std::to_string(found.size()) + " packages " + package + " in " +
                             folder.string() + " instead of one; take the folder away");
  }
  return found[0];
}

std::string output_of(const std::vector<std::string>& argv) {
  Command command{argv};
  command.env = {{"LC_ALL", "C.UTF-8"}};
  const Result result = run(command);
  if (result.exit_code != 0) throw std::runtime_error(argv[0] + ": " + result.err + result.out);
  return result.out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::map<std::string, Entry> contents(const std::string& package_file) {
  std::map<std::string, Entry> entries;
  // "-rwxr-xr-x root/root 2403944 2026-11-25 08:16 ./usr/bin/genapp"
  for (const std::string& line : lines_of(output_of({"dpkg-deb", "-c", package_file}))) {
    std::istringstream in(line);
    Entry entry;
    std::string size, day, time, path, arrow;
    in >> entry.mode >> entry.owner >> size >> day >> time >> path >> arrow >> entry.target;
    path.erase(0, 1);
    if (path.size() > 1 && path.back() == '/') path.pop_back();
    entries[path] = entry;
  }
  return entries;
}

std::vector<std::string> files_under(const std::map<std::string, Entry>& entries,
                                     const std::string& folder) {
  std::vector<std::string> found;
  for (const auto& [path, entry] : entries) {
    if (!entry.is_folder() && path.starts_with(folder + "/")) found.push_back(path);
  }
  return found;
}

}  // namespace genapp::tests
