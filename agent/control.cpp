#include "agent/control.hpp"

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <vector>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::agent {
namespace {

namespace json = boost::json;
using common::Error;
using Words = std::vector<std::string_view>;

constexpr std::size_t kMostEvents = 10'000;

struct RequestRow {
  std::string_view name;
  Request request;
};
constexpr std::array kRequests{
    RequestRow{"online", Request::online}, RequestRow{"offline", Request::offline},
    RequestRow{"enable", Request::enable}, RequestRow{"disable", Request::disable},
    RequestRow{"clear", Request::clear},   RequestRow{"suspend", Request::suspend},
    RequestRow{"resume", Request::resume},
};

// Cut at each blank: two of them make an empty word, which nothing takes.
Words words_of(std::string_view line) {
  Words words;
  for (;;) {
    const auto end = line.find(' ');
    words.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end + 1);
  }
}

template <typename Number>
Number number_of(std::string_view word, Number least, Number most) {
  Number number = 0;
  const char* const end = word.data() + word.size();
  const auto [after, error] = std::from_chars(word.data(), end, number);
  if (error == std::errc() && after == end && number >= least && number <= most) return number;
  throw Error(common::quoted(word) + " must be a number from " + std::to_string(least) + " to " +
              std::to_string(most));
}

void require_words(const Words& words, std::size_t least, std::size_t most) {
  if (words.size() >= least && words.size() <= most) return;
  throw Error("the request " + common::quoted(words[0]) + " has too " +
              (words.size() < least ? "few" : "many") + " words");
}

Order order_of(Request request, const Words& words) {
  require_words(words, 2, 3);
  const bool of_group = words.size() == 3;
  if (of_group && words[1] != "group") {
    throw Error(common::quoted(words[1]) + " must be \"group\", or a tag alone");
  }
  if (!of_group) return {request, false, common::Tag(words[1]).text()};
  if (common::is_identifier(words[2])) return {request, true, std::string(words[2])};
  throw Error("the group " + common::quoted(words[2]) + " is no name of a group");
}

std::string line_of(const json::value& value) { return json::serialize(value) + "\n"; }

std::string refusal(std::string_view why) {
  return line_of({{"ok", false}, {"error", common::printable_utf8(why)}});
}

std::string told(const Answer& answer) {
  if (!answer.accepted) return refusal(answer.text);
  return line_of({{"ok", true}, {"text", common::printable_utf8(answer.text)}});
}

// What a handler has made is JSON already; parsing it again would cost more than making it.
struct Answering {
  const ControlHandlers& handlers;

  std::string operator()(const AskStatus& asked) const {
    auto status = handlers.status(asked.tag);
    if (!status) return refusal("there is no resource " + common::quoted(asked.tag->text()));
    if (status->ends_with('\n')) status->pop_back();
    return "{\"ok\":true,\"status\":" + *status + "}\n";
  }
  std::string operator()(const AskEvents& asked) const {
    const auto events = handlers.events(asked);
    return "{\"ok\":true,\"pid\":" + std::to_string(handlers.pid) + ",\"events\":" + events.array +
           ",\"last\":" + std::to_string(events.last) + "}\n";
  }
  std::string operator()(const Order& order) const { return told(handlers.order(order)); }
  std::string operator()(const Reload&) const { return told(handlers.reload()); }
};

}  // namespace

ControlRequest parse_control_request(std::string_view line) {
  const Words words = words_of(line);
  if (words[0] == "status") {
    require_words(words, 1, 2);
    if (words.size() == 1) return AskStatus{};
    return AskStatus{common::Tag(words[1])};
  }
  if (words[0] == "events") {
    require_words(words, 3, 3);
    return AskEvents{number_of<std::uint64_t>(words[1], 0, UINT64_MAX),
                     number_of<std::size_t>(words[2], 1, kMostEvents)};
  }
  if (words[0] == "reload") {
    require_words(words, 1, 1);
    return Reload{};
  }
  for (const RequestRow& row : kRequests) {
    if (row.name == words[0]) return order_of(row.request, words);
  }
  throw Error("unknown request " + common::quoted(words[0]));
}

std::string answer_control(std::string_view line, const ControlHandlers& handlers) {
  try {
    return std::visit(Answering{handlers}, parse_control_request(line));
  } catch (const Error& problem) {
    return refusal(problem.what());
  }
}

}  // namespace genapp::agent
