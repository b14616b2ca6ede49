#include "lbhc/local_listener.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include <charconv>
#include <cstring>
#include <memory>

#include "common/error.hpp"

namespace genapp::lbhc {
namespace {

constexpr unsigned kTcpListen = 10;  // TCP_LISTEN of the kernel's include/net/tcp_states.h

std::optional<unsigned> hex(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

// Words of 32 bits as the host holds them, one after the other.
std::optional<Address> parse_address(std::string_view text) {
  if (text.size() != 8 && text.size() != 32) return std::nullopt;
  Address address = text.size() == 8 ? mapped({}) : Address();
  auto* to = address.bytes.data() + (address.bytes.size() - text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 8, to += 4) {
    const auto word = hex(text.substr(i, 8));
    if (!word) return std::nullopt;
    const std::uint32_t raw = *word;
    std::memcpy(to, &raw, sizeof raw);
  }
  return address;
}

bool is_wildcard(const Address& address) { return address == Address() || address == mapped({}); }

std::optional<Address> address_of(const std::string& listen) {
  sockaddr_storage storage{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  if (::inet_pton(AF_INET, listen.c_str(), &v4.sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else if (::inet_pton(AF_INET6, listen.c_str(), &v6.sin6_addr) == 1) {
    storage.ss_family = AF_INET6;
  } else {
    return std::nullopt;
  }
  return Address::from_socket(storage);
}

// The kernel lists those that listen before all others, which may be very many.
std::optional<Address> find_in(const char* table, const std::optional<Address>& wanted,
                               std::uint16_t port) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(::fopen(table, "re"), &::fclose);
  if (!file && errno == ENOENT) return std::nullopt;  // no IPv6 on this host
  if (!file) throw common::system_error(table, errno);
  char line[512];
  while (::fgets(line, sizeof line, file.get())) {
    const auto row = parse_socket_row(line);
    if (!row) continue;  // the heading
    if (!row->listens) break;
    if (row->port != port) continue;
    if (!wanted || *wanted == row->local || is_wildcard(row->local)) return row->local;
  }
  if (::ferror(file.get())) throw common::system_error(table, errno);
  return std::nullopt;
}

}  // namespace

std::optional<SocketRow> parse_socket_row(std::string_view line) {
  const std::string_view number = next_word(line);
  const std::string_view local = next_word(line);
  next_word(line);
  const std::string_view state = next_word(line);
  const auto colon = local.find(':');
  if (!number.ends_with(':') || colon == std::string_view::npos) return std::nullopt;
  const auto address = parse_address(local.substr(0, colon));
  const auto port = hex(local.substr(colon + 1));
  const auto state_number = hex(state);
  if (!address || !port || *port > 65535 || !state_number) return std::nullopt;
  return SocketRow{*address, static_cast<std::uint16_t>(*port), *state_number == kTcpListen};
}

std::optional<Address> find_listener(const std::string& listen, std::uint16_t port) {
  const auto wanted = address_of(listen);
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    if (auto found = find_in(table, wanted, port)) return found;
  }
  return std::nullopt;
}

}  // namespace genapp::lbhc
