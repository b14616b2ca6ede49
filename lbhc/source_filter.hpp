#pragma once

// Which sources reset the no-probe clock: the `allow` list.

#include <string>
#include <vector>

#include "lbhc/address.hpp"

namespace genapp::lbhc {

class SourceFilter {
 public:
  // No entries: everybody is allowed.
  SourceFilter() = default;

  // Adds an address, a network ("35.191.0.0/16") or a named set ("azure", "gcp"). Throws
  // common::Error on anything else, on a network with bits set after its prefix: that is usually a
  // typing error, and on an address of one interface ("fe80::1%eth0").
  void allow(const std::string& entry);

  bool allows(const Address& source) const;

 private:
  struct Network {
    Address address;
    unsigned prefix;  // bits, of 128
  };
  std::vector<Network> networks_;
};

}  // namespace genapp::lbhc
