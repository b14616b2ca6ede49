#include "common/limits.hpp"

#include <sys/resource.h>

#include <array>
#include <utility>

namespace genapp::common {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 9> kLimits{{
    {"as", RLIMIT_AS},
    {"core", RLIMIT_CORE},
    {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},
    {"memlock", RLIMIT_MEMLOCK},
    {"nofile", RLIMIT_NOFILE},
    {"nproc", RLIMIT_NPROC},
    {"stack", RLIMIT_STACK},
}};

}  // namespace

std::optional<int> limit_resource(std::string_view name) {
  for (const auto& [known, resource] : kLimits) {
    if (known == name) return resource;
  }
  return std::nullopt;
}

std::optional<std::string_view> limit_name(int resource) {
  for (const auto& [name, known] : kLimits) {
    if (known == resource) return name;
  }
  return std::nullopt;
}

std::string limit_names() {
  std::string names;
  for (const auto& [name, resource] : kLimits)
    names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

}  // namespace genapp::common
