#include "monitor/http_request.hpp"

#include <strings.h>

#include <algorithm>
#include <string_view>

namespace genapp::monitor {
namespace {

// RFC 4648, 4.
std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(bytes.size() - i, 3);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= left ? kDigits[(group >> (18 - 6 * k)) & 63] : '=';
    }
  }
  return out;
}

bool same_name(const std::string& one, const std::string& other) {
  return ::strcasecmp(one.c_str(), other.c_str()) == 0;
}

// RFC 9112, 3.2: of an absolute URI its authority, without a user; otherwise the server's name, and
// its port unless that goes without saying.
std::string host_field(const HttpSettings& settings) {
  const std::size_t scheme = settings.uri.find("://");
  if (!settings.uri.starts_with('/') && scheme != std::string::npos) {
    const std::size_t begin = scheme + 3;
    const std::size_t end = settings.uri.find_first_of("/?#", begin);
    const std::string authority = settings.uri.substr(begin, end - begin);
    const std::size_t user = authority.rfind('@');
    return user == std::string::npos ? authority : authority.substr(user + 1);
  }
  std::string host = settings.server.host;
  if (host.find(':') != std::string::npos) {
    if (host.front() == '[') host = host.substr(1, host.find(']') - 1);
    // The link is a matter of this node's alone (RFC 6874, 4).
    host = "[" + host.substr(0, host.find('%')) + "]";
  }
  const int usual = settings.tls ? 443 : 80;
  if (settings.server.port != usual) host += ":" + std::to_string(settings.server.port);
  return host;
}

}  // namespace

std::string http_request(const HttpSettings& settings) {
  std::vector<std::pair<std::string, std::string>> fields{
      {"Host", host_field(settings)},
      {"User-Agent", "genapp-httpmon/" GENAPP_VERSION},
      {"Accept", "*/*"},
      {"Connection", "close"}};
  if (!settings.credentials.empty()) {
    fields.emplace_back("Authorization", "Basic " + base64(settings.credentials));
  }
  // The user's replace ours. Of the same name they may give several.
  std::erase_if(fields, [&settings](const auto& field) {
    return std::any_of(settings.headers.begin(), settings.headers.end(),
                       [&field](const auto& own) { return same_name(own.first, field.first); });
  });
  std::string request = (settings.get ? "GET " : "HEAD ") + settings.uri +
                        (settings.version == 10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  const auto add = [&request](const auto& field) {
    request.append(field.first).append(": ").append(field.second).append("\r\n");
  };
  std::for_each(fields.begin(), fields.end(), add);
  std::for_each(settings.headers.begin(), settings.headers.end(), add);
  return request + "\r\n";
}

}  // namespace genapp::monitor
