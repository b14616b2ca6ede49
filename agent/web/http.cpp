#include "agent/web/http.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::agent {
namespace {

bool is_address(int family, const std::string& text) {
  unsigned char address[sizeof(in6_addr)];
  return text.find('\0') == std::string::npos && ::inet_pton(family, text.c_str(), address) == 1;
}

bool is_ipv4(std::string_view text) { return is_address(AF_INET, std::string(text)); }
bool is_ipv6(std::string_view text) { return is_address(AF_INET6, std::string(text)); }

// "[::1]:80" and "127.0.0.1:80" apart; `port` is empty when there is none.
struct HostPort {
  std::string_view host;
  std::string_view port;
  bool brackets = false;
};

HostPort split(std::string_view text) {
  HostPort out;
  out.brackets = text.starts_with('[');
  const auto end = out.brackets ? text.find(']') : text.find(':');
  if (end == std::string_view::npos) {
    out.host = text;
    return out;
  }
  out.host = out.brackets ? text.substr(1, end - 1) : text.substr(0, end);
  const std::string_view rest = text.substr(out.brackets ? end + 1 : end);
  if (rest.starts_with(':')) {
    out.port = rest.substr(1);
  } else if (!rest.empty()) {
    out.host = text;  // which is no address
  }
  return out;
}

bool is_localhost(std::string_view name) {
  static constexpr std::string_view kName = "localhost";
  if (name.size() != kName.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if ((name[i] | 0x20) != kName[i]) return false;
  }
  return true;
}

}  // namespace

PageAddress parse_page_address(std::string_view text) {
  const HostPort parts = split(text);
  PageAddress address;
  address.host = is_localhost(parts.host) ? "127.0.0.1" : parts.host;
  const char* const end = parts.port.data() + parts.port.size();
  const auto [read, error] = std::from_chars(parts.port.data(), end, address.port);
  const bool port_ok = !parts.port.empty() && error == std::errc() && read == end;
  const bool host_ok = parts.brackets ? is_ipv6(address.host) : is_ipv4(address.host);
  if (!port_ok || !host_ok) {
    throw common::Error("the status page's address " + common::quoted(text) +
                        " is none: write ADDRESS:PORT, such as 127.0.0.1:9470 or [::1]:9470");
  }
  return address;
}

bool is_own_host(std::string_view host) {
  const HostPort parts = split(host);
  if (parts.port.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return parts.brackets ? is_ipv6(parts.host) : is_localhost(parts.host) || is_ipv4(parts.host);
}

std::string_view query_value(std::string_view target, std::string_view key) {
  const auto question = target.find('?');
  if (question == std::string_view::npos) return {};
  std::string_view query = target.substr(question + 1);
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.starts_with(key) && pair.substr(key.size()).starts_with('=')) {
      return pair.substr(key.size() + 1);
    }
  }
  return {};
}

std::uint64_t number_or_zero(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && read == end ? number : 0;
}

std::string answer_head(std::string_view status, std::string_view content_type,
                        std::string_view more) {
  std::string head = "HTTP/1.1 ";
  head.append(status).append("\r\nContent-Type: ").append(content_type);
  head +=
      "\r\nCache-Control: no-store\r\n"
      "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'\r\n"
      "Cross-Origin-Resource-Policy: same-origin\r\n"
      "Referrer-Policy: no-referrer\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Connection: close\r\n";
  return head.append(more).append("\r\n");
}

}  // namespace genapp::agent
