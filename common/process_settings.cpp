#include "common/process_settings.hpp"

#include <sys/resource.h>

#include <charconv>
#include <string>

#include "common/limits.hpp"
#include "common/printable.hpp"

namespace genapp::common {
namespace {

ResourceLimit parse_limit(const Setting& setting, const std::string& text) {
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const auto known = limit_resource(name);
  if (equals == std::string::npos || !known) {
    throw setting.error("has " + quoted(text) +
                        ", must be NAME=NUMBER or NAME=unlimited with one of " + limit_names());
  }
  const std::string value = text.substr(equals + 1);
  if (value == "unlimited") return {*known, RLIM_INFINITY};
  std::uint64_t most = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), most);
  if (value.empty() || error != std::errc() || end != value.data() + value.size()) {
    throw setting.error("has " + quoted(text) + ", whose value is no whole number");
  }
  return {*known, most};
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
