#include "lbhc/reply.hpp"

#include <stdio.h>
#include <time.h>

namespace genapp::lbhc {
namespace {

// RFC 9110, 5.6.7: "Sun, 22 Nov 2026 08:15:02 GMT", without locale.
std::string http_date(common::WallClock::time_point now) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t seconds = common::WallClock::to_time_t(now);
  struct tm parts {};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const int length = ::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                kDays[parts.tm_wday], parts.tm_mday, kMonths[parts.tm_mon],
                                parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return std::string(text, static_cast<std::size_t>(length));
}

struct Answer {
  std::string_view status;
  std::string_view body;
  std::string_view extra_field = "";
};

std::string response(const Answer& answer, int version, bool with_body,
                     common::WallClock::time_point now) {
  std::string out = version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out += answer.status;
  out += "\r\nDate: ";
  out += http_date(now);
  out += "\r\nContent-Type: text/plain\r\nContent-Length: ";
  out += std::to_string(answer.body.size());
  out += "\r\nCache-Control: no-store\r\nConnection: close\r\n";
  out += answer.extra_field;
  out += "\r\n";
  if (with_body) out += answer.body;
  return out;
}

}  // namespace

std::string greeting(Protocol protocol, const std::string& message, bool draining) {
  switch (protocol) {
    case Protocol::tcp:
      return message;
    // "ready" takes back an earlier "drain", which HAProxy otherwise keeps.
    case Protocol::haproxy_agent:
      return (draining ? std::string("drain") : message.empty() ? "up ready" : message) + "\n";
    case Protocol::http:
      break;
  }
  return "";
}

std::string http_reply(const HttpRequest& request, const std::string& message, bool draining,
                       common::WallClock::time_point now) {
  const bool with_body = request.method != HttpMethod::head;
  if (request.method == HttpMethod::other) {
    return response(
        {"405 Method Not Allowed", "only GET, HEAD and OPTIONS\n", "Allow: GET, HEAD, OPTIONS\r\n"},
        request.version, true, now);
  }
  if (draining) {
    return response({"503 Service Unavailable", "draining\n"}, request.version, with_body, now);
  }
  return response({"200 OK", message}, request.version, with_body, now);
}

const std::string& HttpReplies::reply(const HttpRequest& request, const std::string& message,
                                      bool draining, common::WallClock::time_point now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (!kept_ || kept_->request != request || kept_->draining != draining ||
      kept_->second != second) {
    kept_ = {request, draining, second, http_reply(request, message, draining, now)};
  }
  return kept_->text;
}

std::string http_refusal(HttpRequestReader::Progress why, common::WallClock::time_point now) {
  if (why == HttpRequestReader::Progress::too_large) {
    return response({"431 Request Header Fields Too Large", "header too large\n"}, 11, true, now);
  }
  return response({"400 Bad Request", "not an HTTP request\n"}, 11, true, now);
}

}  // namespace genapp::lbhc
