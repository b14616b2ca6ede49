#include "agent/config_values.hpp"

#include <arpa/inet.h>

#include <charconv>

#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"
#include "monitor/values.hpp"

namespace genapp::agent {
namespace {

using common::Setting;

constexpr double kLeastSeconds = 0.01;
constexpr double kMostSeconds = 86400;
constexpr std::int64_t kMostCount = 10000;

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  // The link behind a % is a matter of this node's.
  return ::inet_pton(AF_INET6, text.substr(0, text.find('%')).c_str(), &address) == 1;
}

std::uint16_t port_in(const Setting& setting, std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc() && end == text.data() + text.size() && port != 0) return port;
  throw setting.error("has the port " + common::quoted(text) + ", must be from 1 to 65535");
}

}  // namespace

Attributes::Duration as_length(const Setting& setting) {
  return common::as_seconds(setting, kLeastSeconds, kMostSeconds);
}

Attributes::Duration as_length_or_none(const Setting& setting) {
  const auto length = common::as_seconds(setting, 0, kMostSeconds);
  return length == Attributes::Duration::zero() && setting.as_number() == 0 ? length
                                                                            : as_length(setting);
}

std::size_t as_count(const Setting& setting, std::size_t least) {
  const auto* count = std::get_if<std::int64_t>(&setting.value);
  if (count && *count >= static_cast<std::int64_t>(least) && *count <= kMostCount) {
    return static_cast<std::size_t>(*count);
  }
  throw setting.error("must be a whole number from " + std::to_string(least) + " to " +
                      std::to_string(kMostCount));
}

monitor::Server as_server(const Setting& setting, const std::string& text) {
  const bool bracket = text.starts_with('[');
  const auto end = bracket ? text.find(']') : text.find(':');
  const std::string host = text.substr(bracket ? 1 : 0, bracket ? end - 1 : end);
  if (bracket && (end == std::string::npos || !is_ipv6(host))) {
    throw setting.error("has " + common::quoted(text) + ", whose brackets hold no IPv6 address");
  }
  if (host.empty()) throw setting.error("names no host");
  monitor::values::word(setting.origin + ": " + setting.name(), host);
  const auto after = end == std::string::npos ? "" : text.substr(end + (bracket ? 1 : 0));
  if (after.empty()) return {host, 0};
  if (after[0] != ':' || after.find(':', 1) != std::string::npos) {
    throw setting.error("has " + common::quoted(text) +
                        ", must be HOST:PORT, an IPv6 address in brackets");
  }
  return {host, port_in(setting, std::string_view(after).substr(1))};
}

Sections by_section(const common::TomlFile& file) {
  Sections sections;
  for (const Setting& setting : file.settings()) sections[setting.section].push_back(&setting);
  return sections;
}

}  // namespace genapp::agent
