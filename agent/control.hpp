#pragma once

// The agent's control protocol, on RUN_DIR/agent/sock (common/control_server.hpp): one request a
// connection, a line; the answer is one line of JSON. `genapp` and the tests are its clients.
//
//   status [TAG]                                   {"ok":true,"status":{...}}: status_json.hpp
//   events AFTER MOST                              {"ok":true,"pid":N,"events":[...],"last":SEQ}
//   online|offline|enable|disable|clear|suspend|resume TAG
//   online|... group NAME                          {"ok":true,"text":"..."}
//   reload                                         the same
//
// What is refused or not understood: {"ok":false,"error":"..."}. Pure.

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "agent/supervisor.hpp"
#include "common/clock.hpp"
#include "common/identifier.hpp"

namespace genapp::agent {

struct AskStatus {
  std::optional<common::Tag> tag{};  // nothing: all
};

// The newest `most` of those with a higher number than `after`.
struct AskEvents {
  std::uint64_t after = 0;
  std::size_t most = 0;  // 1 to 10,000

  // After which number they are, where `last` is the newest there is.
  std::uint64_t newest_after(std::uint64_t last) const {
    return last > most ? std::max(after, last - most) : after;
  }
};

struct Order {
  Request request{};
  bool of_group = false;
  std::string name;  // a tag or a group's name; an identifier
};

struct Reload {};

using ControlRequest = std::variant<AskStatus, AskEvents, Order, Reload>;

// Throws common::Error saying what is wrong with the line, which has no line feed.
ControlRequest parse_control_request(std::string_view line);

// Who knows and does it.
struct ControlHandlers {
  // A JSON object, a line of it or without its end; nothing when there is no such resource.
  std::function<std::optional<std::string>(const std::optional<common::Tag>& tag)> status;
  struct Events {
    std::string array;       // JSON, oldest first
    std::uint64_t last = 0;  // the number of the newest there is, whether it is in `array` or not
  };
  std::function<Events(const AskEvents& asked)> events;
  std::function<Answer(const Order& order)> order;
  std::function<Answer()> reload;
  pid_t pid = 0;  // the agent's: who follows the events sees by it that another has begun
};

// From a request to its answer, with its line feed. A handler's common::Error is an answer, too.
std::string answer_control(std::string_view line, const ControlHandlers& handlers);

// Follows an order.
inline Answer follow(Supervisor& supervisor, const Order& order, common::Clock::time_point now) {
  return order.of_group ? supervisor.request_group(order.request, order.name, now)
                        : supervisor.request(order.request, common::Tag(order.name), now);
}

}  // namespace genapp::agent
