// An entry of the `allow` list, compared with a second reading of it by other means: inet_pton and
// a number. And addresses as text.

#include "lbhc/source_filter.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

using lbhc::Address;

constexpr unsigned kBits = 128;

struct Network {
  Address address;
  unsigned prefix;  // bits, of 128
};

bool bit(const Address& address, unsigned at) {
  return (address.bytes[at / 8] >> (7 - at % 8) & 1) != 0;
}

Address with_bit_flipped(Address address, unsigned at) {
  address.bytes[at / 8] = static_cast<std::uint8_t>(address.bytes[at / 8] ^ (0x80u >> at % 8));
  return address;
}

// An address without prefix: the whole of it.
std::optional<Network> address_of(const std::string& text) {
  if (text.find('\0') != std::string::npos) return std::nullopt;
  std::array<std::uint8_t, 4> ipv4{};
  if (::inet_pton(AF_INET, text.c_str(), ipv4.data()) == 1) return Network{lbhc::mapped(ipv4), 96};
  Address address;
  if (::inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return Network{address, 0};
  return std::nullopt;
}

std::optional<unsigned> prefix_of(std::string_view digits, unsigned most) {
  if (digits.empty() || digits.size() > 3) return std::nullopt;
  unsigned number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number <= most ? std::optional(number) : std::nullopt;
}

// Nothing for what is no network, or has bits set after its prefix.
std::optional<Network> network_of(const std::string& entry) {
  const auto slash = entry.find('/');
  auto network = address_of(entry.substr(0, slash));
  if (!network) return std::nullopt;
  const unsigned before = network->prefix;
  network->prefix = kBits;
  if (slash == std::string::npos) return network;
  const auto prefix = prefix_of(std::string_view(entry).substr(slash + 1), kBits - before);
  if (!prefix) return std::nullopt;
  network->prefix = before + *prefix;
  for (unsigned at = network->prefix; at < kBits; ++at) {
    if (bit(network->address, at)) return std::nullopt;
  }
  return network;
}

void check_covers(const lbhc::SourceFilter& filter, const Network& network) {
  require(filter.allows(network.address), "a network's own address is in it");
  for (unsigned at = 0; at < kBits; ++at) {
    require(filter.allows(with_bit_flipped(network.address, at)) == (at >= network.prefix),
            "the bits of the prefix, and no others, tell what is in a network");
  }
}

void check_entry(const std::string& entry) {
  if (entry == "azure" || entry == "gcp") return;
  const auto network = network_of(entry);
  lbhc::SourceFilter filter;
  const bool refused = !refusal([&] { filter.allow(entry); }).empty();
  require(refused == !network, "an entry is taken when it is a network, and then alone");
  if (network) {
    check_covers(filter, *network);
  } else {
    require(filter.allows(Address{}), "a refused entry adds nothing");
  }
}

void check_address_text(std::string_view bytes) {
  Address address;
  std::copy_n(bytes.begin(), std::min(bytes.size(), address.bytes.size()), address.bytes.begin());
  const auto back = address_of(address.text());
  require(back && back->address == address, "an address is read back from its text");
}

}  // namespace

void check(std::string_view input) {
  check_entry(std::string(input));
  check_address_text(input);
}

}  // namespace genapp::fuzz
