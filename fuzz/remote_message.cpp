// What the remote pair reads of each other: requests, answers, pieces of output, the words between
// an appserver and a keeper, what a keeper says at its start, what an earlier appserver has noted.

#include <algorithm>

#include "fuzz/property.hpp"
#include "remote/appserver/session_record.hpp"
#include "remote/keeper_link.hpp"
#include "remote/keeper_start.hpp"
#include "remote/message.hpp"
#include "remote/output.hpp"

namespace genapp::fuzz {
namespace {

using namespace remote;

bool has_zero(const std::string& text) { return text.find('\0') != std::string::npos; }

void check_start(const Start& start) {
  require(common::is_identifier(start.session.text()), "a session's name can name a folder");
  require(!start.command.empty(), "there is a command");
  require(std::none_of(start.command.begin(), start.command.end(), has_zero),
          "no argument ends before its end");
  for (const auto& [name, value] : start.environment) {
    require(!name.empty() && name.find('=') == std::string::npos && !has_zero(name + value),
            "a variable is one");
  }
  require(start.timeout_s >= 1 && start.timeout_s <= 3600, "a time-out is bounded");
  require(!start.manager.empty() && start.manager.size() <= 64, "so is a manager's name");
}

void check_request(std::string_view input) {
  const std::string problem = refusal([&] {
    const NumberedRequest request = parse_request(input);
    require((request.ref == 0) == std::holds_alternative<Taken>(request.request),
            "all but one kind have a number");
    if (const auto* start = std::get_if<Start>(&request.request)) check_start(*start);
    if (const auto* stop = std::get_if<Stop>(&request.request)) {
      require(stop->kill_after_s >= 0 && stop->kill_after_s <= 3600, "patience is bounded");
    }
    const std::string text = format_request(request);
    // An escape may be longer than what it stands for.
    if (text.size() > kMostMessageBytes) return;
    require(format_request(parse_request(text)) == text, "it comes back as it was");
  });
  require(problem.size() < 1000 && problem.find('\n') == std::string::npos,
          "what is wrong is said in a line");
}

void check_answer(std::string_view input) {
  refusal([&] {
    const Answer answer = parse_answer(input);
    const std::string text = format_answer(answer);
    require(format_answer(parse_answer(text)) == text, "an answer comes back as it was");
  });
}

void check_output(std::string_view input) {
  const auto chunk = parse_output(input);
  if (!chunk) return;
  require(!chunk->bytes.empty() && chunk->bytes.size() <= kMostChunkBytes, "a piece is bounded");
  require(output_header(chunk->stream, chunk->offset) + std::string(chunk->bytes) == input,
          "a piece comes back as it was");
}

void check_link(std::string_view input) {
  refusal([&] {
    LinkReader reader;
    // In two parts, as sockets give them.
    reader.put(input.substr(0, input.size() / 2));
    std::size_t messages = 0;
    while (reader.next()) ++messages;
    reader.put(input.substr(input.size() / 2));
    while (const auto message = reader.next()) {
      require(!message->empty() && message->size() <= kMostLinkBytes, "a message is bounded");
      ++messages;
    }
    require(messages <= input.size() / 5, "each has its length and a byte");
  });
  if (const auto word = parse_keeper_word(input)) {
    require(parse_keeper_word(std::string_view(format_keeper_word(*word)).substr(4)).has_value(),
            "a keeper's word comes back");
  }
  if (const auto order = parse_link_order(input)) {
    require(parse_link_order(std::string_view(format_link_order(*order)).substr(4)).has_value(),
            "so does an order");
  }
  if (const auto answer = parse_keeper_answer(input)) {
    require(parse_keeper_answer(format_keeper_answer(*answer)).has_value(),
            "so does a keeper's first line");
  }
}

void check_files(std::string_view input) {
  if (const auto record = parse_session_record(input)) {
    require(!record->command.empty(), "a session has a command");
    require(parse_session_record(format_session_record(*record)) == record,
            "a record comes back as it was");
  }
  if (const auto end = parse_session_end(input)) {
    require(parse_session_end(format_session_end(*end)) == end, "so does an end");
  }
}

}  // namespace

void check(std::string_view input) {
  check_request(input);
  check_answer(input);
  check_output(input);
  check_link(input);
  check_files(input);
}

}  // namespace genapp::fuzz
