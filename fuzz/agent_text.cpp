// What the agent reads: a request on its control socket, what an earlier agent kept of a resource,
// a notice of its file, and what a browser sends as Host and target.

#include "agent/control.hpp"
#include "agent/notice_log.hpp"
#include "agent/record.hpp"
#include "agent/web/http.hpp"
#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

void check_request(std::string_view input) {
  const std::string problem = refusal([&] {
    const auto request = agent::parse_control_request(input);
    if (const auto* order = std::get_if<agent::Order>(&request)) {
      require(common::is_identifier(order->name), "what is commanded is an identifier");
      require(input.starts_with(agent::name_of(order->request)), "by its word");
      require(input.ends_with(order->name), "and its name");
    }
    if (const auto* events = std::get_if<agent::AskEvents>(&request)) {
      require(events->most >= 1 && events->most <= 10'000, "events are bounded");
    }
  });
  agent::ControlHandlers handlers;
  handlers.status = [](const auto&) { return "{}"; };
  handlers.events = [](const auto&) { return agent::ControlHandlers::Events{"[]", 0}; };
  handlers.order = [](const auto&) { return agent::Answer{true, ""}; };
  handlers.reload = [] { return agent::Answer{true, ""}; };
  const std::string answer = agent::answer_control(input, handlers);
  require(answer.ends_with("}\n") && answer.find('\n') == answer.size() - 1,
          "an answer is one line of JSON");
  require(problem.empty() == answer.starts_with("{\"ok\":true"), "that says whether it was well");
}

void check_record(std::string_view input) {
  const auto record = agent::parse_record(input);
  if (!record) return;
  const std::string text = agent::format_record(*record);
  const auto again = agent::parse_record(text);
  require(again.has_value(), "a record is read back");
  require(agent::format_record(*again) == text, "as it was written");
}

void check_notice(std::string_view input) {
  const auto notice = agent::parse_notice(input);
  if (!notice) return;
  const std::string text = agent::notice_json(*notice);
  require(text.find('\n') == std::string::npos, "a notice is one line");
  const auto again = agent::parse_notice(text);
  require(again && agent::notice_json(*again) == text, "and is read back as it was written");
}

void check_http(std::string_view input) {
  if (agent::is_own_host(input)) {
    std::string text(input.substr(0, input.find('%')));
    for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    require(text.starts_with("localhost") ||
                text.find_first_not_of("0123456789.:[]abcdef") == std::string::npos,
            "a host of ours is an address or localhost");
  }
  const std::string_view value = agent::query_value(input, "after");
  require(value.empty() || (value.data() >= input.data() &&
                            value.data() + value.size() <= input.data() + input.size()),
          "a value is part of the target");
  agent::number_or_zero(value);
  refusal([&] {
    const auto address = agent::parse_page_address(input);
    require(!address.host.empty(), "a page's address has a host");
  });
}

}  // namespace

void check(std::string_view input) {
  check_request(input);
  check_record(input);
  check_notice(input);
  check_http(input);
}

}  // namespace genapp::fuzz
