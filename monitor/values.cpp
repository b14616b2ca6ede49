#include "monitor/values.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "common/directory.hpp"
#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::monitor::values {
namespace {

using common::quoted;

constexpr std::size_t kMostTextBytes = 255;    // seed 004, of -s and -h
constexpr std::size_t kMostValueBytes = 4096;  // of our own options

[[noreturn]] void refuse(const std::string& text) { throw common::Error(text); }

StatusRange status_range(const std::string& what, std::string_view item, const std::string& list) {
  const auto dash = item.find('-');
  const auto number = [&](std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && value >= 100 && value <= 999 ? value : 0;
  };
  const int first = number(item.substr(0, dash));
  const int last = dash == std::string_view::npos ? first : number(item.substr(dash + 1));
  if (first == 0 || last < first) {
    refuse(what + " " + quoted(list) +
           " is not a list of codes and ranges from 100 to 999, as in 200,301-399");
  }
  return {first, last};
}

}  // namespace

std::string word(const std::string& what, const std::string& text) {
  const auto printable = [](char c) { return c > ' ' && c < '\x7f'; };
  if (text.empty() || text.size() > kMostTextBytes || !std::ranges::all_of(text, printable)) {
    refuse(what + " " + quoted(text) + " is not 1 to " + std::to_string(kMostTextBytes) +
           " printable ASCII characters without blanks");
  }
  return text;
}

std::string one_line(const std::string& what, const std::string& text) {
  if (text.empty() || text.size() > kMostValueBytes ||
      text.find_first_of(std::string("\r\n\0", 3)) != std::string::npos) {
    refuse(what + " " + quoted(text) + " is not one line of 1 to " +
           std::to_string(kMostValueBytes) + " bytes");
  }
  return text;
}

int http_version(const std::string& what, const std::string& text) {
  if (text == "1.0") return 10;
  if (text == "1.1") return 11;
  refuse(what + " " + quoted(text) + " is neither 1.0 nor 1.1");
}

std::string request_uri(const std::string& what, const std::string& text) {
  const std::string uri = word(what, text);
  if (uri.starts_with('/') || uri.starts_with("http://") || uri.starts_with("https://")) return uri;
  refuse(what + " " + quoted(uri) + " does not begin with / (or http:// or https://)");
}

std::vector<StatusRange> status_list(const std::string& what, const std::string& list) {
  std::vector<StatusRange> ranges;
  std::string_view rest = list;
  for (;;) {
    const auto comma = rest.find(',');
    ranges.push_back(status_range(what, rest.substr(0, comma), list));
    if (comma == std::string_view::npos) return ranges;
    rest.remove_prefix(comma + 1);
  }
}

std::string expected_body(const std::string& what, const std::string& text) {
  if (text.empty() || text.size() > kMostValueBytes) refuse(what + " is not 1 to 4096 bytes");
  return text;
}

std::string tls_name(const std::string& what, const std::string& text) {
  const std::string name = word(what, text);
  if (name.starts_with('.')) refuse(what + " " + quoted(name) + " begins with a dot");
  return name;
}

std::string credentials(const std::string& what, const std::string& text) {
  if (text.find(':') == std::string::npos) refuse(what + " is not NAME:PASSWORD");
  if (text.size() > kMostValueBytes ||
      std::ranges::any_of(text, [](char c) { return c >= 0 && c < ' '; })) {
    refuse(what + " holds a control character, or more than 4096 bytes");
  }
  return text;
}

std::string credentials_in(const std::string& what, const std::string& path) {
  std::optional<std::string> content;
  try {
    content = common::read_file(path, kMostValueBytes);
  } catch (const common::Error& problem) {
    refuse(what + ": " + common::printable(problem.what()));
  }
  const std::string file = what + " " + quoted(path, kMostTextBytes);
  if (!content) refuse(file + " does not exist");
  const std::string line = content->substr(0, content->find_first_of("\r\n"));
  return credentials(file + ": its first line", line);
}

std::pair<std::string, std::string> header(const std::string& what, const std::string& text) {
  constexpr std::string_view kToken =
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const auto colon = one_line(what, text).find(':');
  const std::string name = text.substr(0, colon);
  if (colon == std::string::npos || name.empty() ||
      name.find_first_not_of(kToken) != std::string::npos) {
    refuse(what + " " + quoted(text) + " is not \"Name: value\"");
  }
  const auto begin = std::min(text.find_first_not_of(" \t", colon + 1), text.size());
  return {name, text.substr(begin)};
}

}  // namespace genapp::monitor::values
