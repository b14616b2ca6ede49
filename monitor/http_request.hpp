#pragma once

// What a check sends to an HTTP server. Pure.

#include <string>

#include "monitor/http_check.hpp"

namespace genapp::monitor {

// The request's bytes. No setting that options.hpp has taken can add a line to it.
std::string http_request(const HttpSettings& settings);

}  // namespace genapp::monitor
