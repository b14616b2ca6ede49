#include "monitor/monitor_id.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::monitor {
namespace {

constexpr std::size_t kMostBytes = 255;

bool is_alphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_monitor_id(std::string_view text) {
  return !text.empty() && text.size() <= kMostBytes && std::ranges::all_of(text, is_alphanumeric);
}

MonitorId::MonitorId(std::string_view text) : text_(text) {
  if (!is_monitor_id(text)) {
    throw common::Error(
        "the identifier " + common::quoted(text) + " is not 1 to 255 letters (A-Z, a-z) and digits",
        common::ExitCode::usage);
  }
}

}  // namespace genapp::monitor
