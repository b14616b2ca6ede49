#pragma once

// The page server's rules about requests and answers. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace genapp::agent {

struct PageAddress {
  std::string host;  // numeric
  std::uint16_t port = 0;
};

// From "127.0.0.1:9470", "[::1]:9470" or "localhost:9470", which is 127.0.0.1. Port 0 is any that
// is free. Throws common::Error.
PageAddress parse_page_address(std::string_view text);

// Whether a request's Host is an address or localhost. A name may be somebody else's, who lets it
// point here so that his page may read ours (DNS rebinding).
bool is_own_host(std::string_view host);

// "/api/events?after=5" -> "5"; empty when it is not there.
std::string_view query_value(std::string_view target, std::string_view key);
// A whole number in digits alone; 0 when it is none.
std::uint64_t number_or_zero(std::string_view text);

// The lines before an answer's body, for a browser that is to trust nothing but this server's own
// files. `more` are further lines, each with its end.
std::string answer_head(std::string_view status, std::string_view content_type,
                        std::string_view more = {});

}  // namespace genapp::agent
