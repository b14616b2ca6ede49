#include "common/program_folder.hpp"

#include <errno.h>
#include <unistd.h>

#include <climits>
#include <vector>

#include "common/error.hpp"

namespace genapp::common {
namespace {

std::string own_folder() {
  char path[PATH_MAX];
  const ssize_t n = ::readlink("/proc/self/exe", path, sizeof path);
  if (n <= 0) throw system_error("reading /proc/self/exe", errno);
  const std::string text(path, static_cast<std::size_t>(n));
  return text.substr(0, text.rfind('/'));
}

bool holds_all(const std::string& folder, std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    if (::access((folder + "/" + std::string(name)).c_str(), X_OK) != 0) return false;
  }
  return true;
}

// "restore, quickCheck and recover"
std::string enumerated(std::span<const std::string_view> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace

std::string find_programs(const std::string& given, std::span<const std::string_view> needed,
                          std::string_view hint) {
  std::vector<std::string> places{given};
  if (given.empty()) places = {own_folder(), own_folder() + "/../libexec/genapp"};
  std::string looked;
  for (const std::string& place : places) {
    if (holds_all(place, needed)) return place;
    looked += (looked.empty() ? "" : " and ") + place;
  }
  throw Error("no " + enumerated(needed) + " in " + looked + ": " + std::string(hint));
}

}  // namespace genapp::common
