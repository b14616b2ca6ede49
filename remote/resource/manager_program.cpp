#include "remote/resource/manager_program.hpp"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "common/capture.hpp"
#include "common/error.hpp"
#include "common/family.hpp"

namespace genapp::remote {
namespace {

constexpr std::size_t kMostPrinted = 16 * 1024;  // bytes of each stream

// Empty when /proc is not there: other places are left.
std::string folder_of_this_program() {
  std::array<char, 4096> self{};
  const ssize_t size = ::readlink("/proc/self/exe", self.data(), self.size());
  const std::string path(self.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return path.substr(0, path.find_last_of('/') == std::string::npos ? 0 : path.rfind('/'));
}

std::vector<std::string> places() {
  std::vector<std::string> found;
  if (const std::string folder = folder_of_this_program(); !folder.empty()) {
    for (const char* where : {"/appmgr", "/../../bin/appmgr", "/../bin/appmgr"}) {
      found.push_back(folder + where);
    }
  }
  found.emplace_back(GENAPP_INSTALLED_APPMGR);
  return found;
}

std::vector<std::string> environment_with(const std::string& run) {
  const std::string mark = std::string(common::kRunVariable) + "=";
  std::vector<std::string> all{mark + run};
  for (char** entry = ::environ; *entry; ++entry) {
    if (!std::string_view(*entry).starts_with(mark)) all.emplace_back(*entry);
  }
  return all;
}

}  // namespace

std::string find_appmgr(const std::string& given) {
  std::string tried;
  for (const std::string& place : given.empty() ? places() : std::vector<std::string>{given}) {
    if (::access(place.c_str(), X_OK) == 0) return place;
    tried += (tried.empty() ? "" : ", ") + place;
  }
  throw common::Error("there is no appmgr that can be executed at " + tried +
                      ": install it, or set appmgr in the table [remote]");
}

CallEnd run_appmgr(const std::string& path, const std::vector<std::string>& arguments,
                   const std::string& run, common::Clock::duration limit) {
  limit = std::max(limit, common::Clock::duration::zero());
  common::Spawn program;
  program.argv = {path};
  program.argv.insert(program.argv.end(), arguments.begin(), arguments.end());
  program.environment = environment_with(run);
  common::Captured captured = common::capture(std::move(program), limit, kMostPrinted);
  return {captured.timed_out, captured.ending, std::move(captured.out.text),
          std::move(captured.err.text), limit};
}

}  // namespace genapp::remote
