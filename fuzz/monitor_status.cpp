// What a monitor, a lying one too, answers on its control socket.

#include "monitor/status.hpp"

#include <algorithm>

#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

using monitor::Status;

bool is_printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7f'; });
}

std::ptrdiff_t lines(std::string_view text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

void check(std::string_view input) {
  const auto status = monitor::parse_status(input);
  if (!status) return;
  require(!status->id.empty() && !status->state.empty(), "an id and a state at least");
  const std::string line = monitor::format_status(*status);
  require(lines(line) == 1 && line.back() == '\n', "it is written as one line");
  const auto again = monitor::parse_status(line);
  require(again && monitor::format_status(*again) == line, "which is read back as written");
  const std::string shown = monitor::disp_text(*status);
  require(is_printable(shown) && lines(shown) <= 12, "a line for each thing, all printable");
  const std::string listed = monitor::list_text({*status});
  require(is_printable(listed) && lines(listed) == 2, "a heading and a row, all printable");
  require(lines(monitor::list_json({*status, *status})) == 1, "a list is one line of JSON");
}

}  // namespace genapp::fuzz
