#pragma once

// What is sent to a prober. Pure: bytes in, bytes out.

#include <optional>
#include <string>

#include "common/clock.hpp"
#include "lbhc/config.hpp"
#include "lbhc/http_request.hpp"

namespace genapp::lbhc {

// For the protocols that speak first. tcp: the message as it is, so nothing for an empty one.
// haproxy-agent: the message, "up ready" for an empty one, and a line feed; "drain" while draining.
std::string greeting(Protocol protocol, const std::string& message, bool draining);

// 200 with the message as body to GET, HEAD and OPTIONS, 405 to others; 503 while draining.
std::string http_reply(const HttpRequest& request, const std::string& message, bool draining,
                       common::WallClock::time_point now);

// http_reply() that keeps its last text while it would be the same: probes come with one request,
// and the text changes with the second. Making it is more than half of a probe's own work.
class HttpReplies {
 public:
  // Valid until the next call. `message` must be the same at every call.
  const std::string& reply(const HttpRequest& request, const std::string& message, bool draining,
                           common::WallClock::time_point now);

 private:
  struct Kept {
    HttpRequest request;
    bool draining;
    std::chrono::sys_seconds second;
    std::string text;
  };
  std::optional<Kept> kept_;
};

// 400 or 431 to what is no request.
std::string http_refusal(HttpRequestReader::Progress why, common::WallClock::time_point now);

}  // namespace genapp::lbhc
