#pragma once

// What a guest is reached at, as its certificate names it. Pure.

#include <string>
#include <vector>

namespace genapp::remote::keys {

struct Address {
  bool numeric = false;  // an IP address, in its canonical form
  std::string text;
  bool operator==(const Address&) const = default;
};

// "guest1.example.org", "192.0.2.1", "2001:db8::1". Throws Error (exit code 64) for anything else:
// wildcards, a name's last part of digits alone, which is an address with a typing error.
Address parse_address(const std::string& text);

// "DNS:guest1,IP:192.0.2.1", each once, as OpenSSL takes them.
std::string alternative_names_text(const std::vector<Address>& addresses);

}  // namespace genapp::remote::keys
