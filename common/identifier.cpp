#include "common/identifier.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::common {
namespace {

constexpr std::size_t kMostBytes = 64;

bool is_first(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_later(char c) { return is_first(c) || c == '.' || c == ':' || c == '@' || c == '-'; }

std::string checked(std::string_view kind, std::string_view text) {
  if (!is_identifier(text)) {
    throw Error(std::string(kind) + " " + quoted(text) +
                    " is not valid: 1 to 64 of A-Z a-z 0-9 _ . : @ -, the first a letter, "
                    "digit or _",
                ExitCode::usage);
  }
  return std::string(text);
}

}  // namespace

bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= kMostBytes && is_first(text.front()) &&
         std::all_of(text.begin(), text.end(), is_later);
}

Tag::Tag(std::string_view text) : text_(checked("tag", text)) {}
Id::Id(std::string_view text) : text_(checked("id", text)) {}

}  // namespace genapp::common
