#include "common/process_settings.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "common/printable.hpp"

namespace genapp::common {
namespace {

struct LimitName {
  std::string_view name;
  int resource;
};

constexpr std::array kLimits{
    LimitName{"as", RLIMIT_AS},         LimitName{"core", RLIMIT_CORE},
    LimitName{"cpu", RLIMIT_CPU},       LimitName{"data", RLIMIT_DATA},
    LimitName{"fsize", RLIMIT_FSIZE},   LimitName{"memlock", RLIMIT_MEMLOCK},
    LimitName{"nofile", RLIMIT_NOFILE}, LimitName{"nproc", RLIMIT_NPROC},
    LimitName{"stack", RLIMIT_STACK},
};

std::string limit_names() {
  std::string names;
  for (const LimitName& limit : kLimits)
    names += (names.empty() ? "" : ", ") + std::string(limit.name);
  return names;
}

ResourceLimit parse_limit(const Setting& setting, const std::string& text) {
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const auto known = std::find_if(kLimits.begin(), kLimits.end(),
                                  [&name](const LimitName& limit) { return limit.name == name; });
  if (equals == std::string::npos || known == kLimits.end()) {
    throw setting.error("has " + quoted(text) +
                        ", must be NAME=NUMBER or NAME=unlimited with one of " + limit_names());
  }
  const std::string value = text.substr(equals + 1);
  if (value == "unlimited") return {known->resource, RLIM_INFINITY};
  std::uint64_t most = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), most);
  if (value.empty() || error != std::errc() || end != value.data() + value.size()) {
    throw setting.error("has " + quoted(text) + ", whose value is no whole number");
  }
  return {known->resource, most};
}

}  // namespace

mode_t as_umask(const Setting& setting) {
  const std::string& text = setting.as_string();
  unsigned mask = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mask, 8);
  if (error != std::errc() || end != text.data() + text.size() || mask > 0777) {
    throw setting.error("is " + quoted(text) + ", must be octal, as \"022\"");
  }
  return mask;
}

std::vector<ResourceLimit> as_limits(const Setting& setting) {
  std::vector<ResourceLimit> limits;
  for (const std::string& text : setting.as_list()) limits.push_back(parse_limit(setting, text));
  return limits;
}

}  // namespace genapp::common
