// What is asked on the control socket.

#include "lbhc/control_request.hpp"

#include "fuzz/property.hpp"

namespace genapp::fuzz {

using Kind = lbhc::ControlRequest::Kind;
using namespace std::chrono_literals;

void check(std::string_view input) {
  const auto request = lbhc::parse_control_request(input);
  const bool is_status = request && request->kind == Kind::status;
  require(is_status == (input == "status"), "status is asked by that word alone");
  if (!request || is_status) return;

  if (request->kind == Kind::own_probe) {
    require(input.starts_with("own-probe ") && request->port > 0,
            "a port is asked for by its word");
    return;
  }

  const bool drain = request->kind == Kind::drain;
  const bool lease = request->kind == Kind::check;
  const std::string_view word = drain ? "drain " : lease ? "check " : "ignore ";
  require(input.starts_with(word), "each is asked by its word");
  require(input.substr(word.size()).find_first_not_of("0123456789.eE-+") == std::string_view::npos,
          "its time is a decimal number");
  require(request->length >= 0s && request->length <= (drain   ? 3600s
                                                       : lease ? 86400s
                                                               : 10s),
          "it is bounded");

  const auto again =
      lbhc::parse_control_request(std::string(word) + common::seconds_text(request->length));
  require(again && again->kind == request->kind, "a request as the client writes it is understood");
  require(std::chrono::abs(again->length - request->length) <= 500us, "to the millisecond");
}

}  // namespace genapp::fuzz
