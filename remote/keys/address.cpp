#include "remote/keys/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::remote::keys {
namespace {

constexpr std::size_t kLongestName = 253;
constexpr std::size_t kLongestLabel = 63;

std::optional<std::string> canonical_ip(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, text.c_str(), bytes.data()) != 1) continue;
    return ::inet_ntop(family, bytes.data(), canonical.data(), canonical.size());
  }
  return std::nullopt;
}

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

bool is_label_byte(char byte) {
  return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         byte == '_' || byte == '-';
}

bool is_label(const std::string& label) {
  return !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), is_label_byte);
}

bool is_host_name(const std::string& name) {
  if (name.size() > kLongestName) return false;
  std::size_t begin = 0;
  for (;;) {
    const auto dot = name.find('.', begin);
    const std::string label = name.substr(begin, dot - begin);
    if (!is_label(label)) return false;
    if (dot == std::string::npos) return !std::all_of(label.begin(), label.end(), is_digit);
    begin = dot + 1;
  }
}

}  // namespace

Address parse_address(const std::string& text) {
  if (text.find('\0') == std::string::npos) {
    if (const auto ip = canonical_ip(text)) return {true, *ip};
  }
  const std::string name = text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
  if (is_host_name(name)) return {false, name};
  throw common::Error(
      "address " + common::quoted(text) + ": is neither a host name nor an IP address",
      common::ExitCode::usage);
}

std::string alternative_names_text(const std::vector<Address>& addresses) {
  std::vector<Address> seen;
  std::string text;
  for (const Address& address : addresses) {
    if (std::find(seen.begin(), seen.end(), address) != seen.end()) continue;
    seen.push_back(address);
    text +=
        (text.empty() ? "" : ",") + std::string(address.numeric ? "IP:" : "DNS:") + address.text;
  }
  return text;
}

}  // namespace genapp::remote::keys
