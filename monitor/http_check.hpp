#pragma once

// Asks an HTTP server, and judges its answer by the rules of the seed (004, "Monitoring Method")
// and by those that the settings add.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.hpp"
#include "monitor/check.hpp"
#include "monitor/stream.hpp"

namespace genapp::monitor {

struct StatusRange {
  int first = 0;
  int last = 0;  // inclusive
};

struct HttpSettings {
  Server server{"localhost", 80};
  std::string uri = "/";
  int version = 11;  // 10 or 11
  bool get = false;  // GET instead of HEAD: the body is read, 1 MiB of it at most
  std::vector<StatusRange> expect_status{};  // empty: the seed's rule
  std::string expect_body{};                 // empty: any
  std::string credentials{};                 // "NAME:PASSWORD" for Basic; empty: none
  std::vector<std::pair<std::string, std::string>> headers{};
  std::optional<TlsSettings> tls{};
};

// Starts a check; `wait` from now it has failed. `tls` is needed where settings.tls is set, and, as
// io, resolver and settings, outlives the check.
std::unique_ptr<Check> start_http_check(boost::asio::io_context& io, Resolver& resolver,
                                        const HttpSettings& settings, const TlsContext* tls,
                                        common::Clock::duration wait, CheckDone done);

}  // namespace genapp::monitor
