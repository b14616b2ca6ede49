#include "tests/sweep/trace.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace genapp::tests {
namespace {

// "[ 257] openat(…) = 3" or "[ 257] +++ exited with 0 +++", or "--- SIGTERM {…} ---".
void parse_line(std::string_view line, Trace& trace) {
  if (line.find("--- ") != std::string_view::npos && line.ends_with(" ---")) return;
  if (line.find("+++ ") != std::string_view::npos && line.ends_with(" +++")) return;
  const auto bad = [&] { return std::runtime_error("no line of strace: " + std::string(line)); };
  const auto close = line.find("] ");
  if (!line.starts_with('[') || close == std::string_view::npos) throw bad();
  std::string_view digits = line.substr(1, close - 1);
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  const std::string_view rest = line.substr(close + 2);
  const auto bracket = rest.find('(');
  TracedCall call;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), call.number);
  if (error != std::errc() || end != digits.data() + digits.size() || bracket == 0 ||
      bracket == std::string_view::npos) {
    throw bad();
  }
  call.name = rest.substr(0, bracket);
  call.text = rest;
  if (call.name == "execve") {
    trace.clear();
  } else {
    trace.push_back(std::move(call));
  }
}

}  // namespace

Trace parse_trace(std::string_view text) {
  Trace trace;
  while (!text.empty()) {
    const auto end = text.find('\n');
    // Without its line feed, a line may be half written.
    if (end == std::string_view::npos) break;
    if (end > 0) parse_line(text.substr(0, end), trace);
    text.remove_prefix(end + 1);
  }
  return trace;
}

bool has_ended(std::string_view text) {
  const auto line = text.substr(0, text.size() - text.ends_with('\n')).rfind('\n');
  return text.ends_with(" +++\n") &&
         text.substr(line == std::string_view::npos ? 0 : line).find("+++ ") !=
             std::string_view::npos;
}

}  // namespace genapp::tests
