#include "lbhc/source_filter.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <span>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::lbhc {
namespace {

namespace ip = boost::asio::ip;
using common::Error;

// Where each cloud's probes come from, as its documentation says; see docs/lbhc.md.
constexpr std::array kAzure{"168.63.129.16", "fe80::/10"};
constexpr std::array kGcp{"35.191.0.0/16", "130.211.0.0/22", "2600:2d00:1:b029::/64",
                          "2600:2d00:1:1::/64"};

struct NamedSet {
  std::string_view name;
  std::span<const char* const> entries;
};
constexpr std::array kSets{NamedSet{"azure", kAzure}, NamedSet{"gcp", kGcp}};

Error not_canonical(const std::string& entry, const std::string& canonical) {
  return Error(common::quoted(entry) + " has bits set after its prefix: did you mean " + canonical +
               "?");
}

Error names_an_interface(const std::string& entry) {
  return Error(common::quoted(entry) +
               " names an interface, which is not compared: write the address without %");
}

Error not_an_entry(const std::string& entry) {
  return Error(common::quoted(entry) +
               " is no address, no network (ADDRESS/BITS) and no named set (azure, gcp)");
}

}  // namespace

void SourceFilter::allow(const std::string& entry) {
  for (const NamedSet& set : kSets) {
    if (set.name != entry) continue;
    for (const char* each : set.entries) allow(each);
    return;
  }
  // Asio takes the interface of a link-local address, and would let in every link's.
  if (entry.find('%') != std::string::npos) throw names_an_interface(entry);
  const auto slash = entry.find('/');
  const bool whole = slash == std::string::npos;
  // Asio reads the prefix with atoi, so that 4294967304 would be 8; and stops at a zero byte.
  constexpr std::size_t kMostDigits = 3;
  if (entry.find('\0') != std::string::npos || (!whole && entry.size() - slash - 1 > kMostDigits)) {
    throw not_an_entry(entry);
  }
  boost::system::error_code bad;
  const auto v4 = ip::make_network_v4(whole ? entry + "/32" : entry, bad);
  if (!bad) {
    if (v4 != v4.canonical()) throw not_canonical(entry, v4.canonical().to_string());
    networks_.push_back({mapped(v4.address().to_bytes()), 96u + v4.prefix_length()});
    return;
  }
  const auto v6 = ip::make_network_v6(whole ? entry + "/128" : entry, bad);
  if (!bad) {
    if (v6 != v6.canonical()) throw not_canonical(entry, v6.canonical().to_string());
    networks_.push_back({Address{v6.address().to_bytes()}, unsigned{v6.prefix_length()}});
    return;
  }
  throw not_an_entry(entry);
}

bool SourceFilter::allows(const Address& source) const {
  const auto covers = [&source](const Network& network) {
    const unsigned whole = network.prefix / 8;
    const unsigned rest = network.prefix % 8;
    if (!std::equal(source.bytes.begin(), source.bytes.begin() + whole,
                    network.address.bytes.begin())) {
      return false;
    }
    if (rest == 0) return true;
    const unsigned mask = 0xff00u >> rest & 0xffu;
    return (source.bytes[whole] & mask) == (network.address.bytes[whole] & mask);
  };
  return networks_.empty() || std::any_of(networks_.begin(), networks_.end(), covers);
}

}  // namespace genapp::lbhc
