#include "cluster/shell_settings.hpp"

#include <algorithm>

namespace genapp::cluster {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool is_name_byte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// The text, a command after the other, and the line that it is at.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\n' : text_[at_]; }
  int line() const { return line_; }

  char take() {
    const char c = text_[at_++];
    if (c == '\n') ++line_;
    return c;
  }
  void skip_blanks() {
    while (is_blank(peek())) take();
  }
  void skip_line() {
    while (peek() != '\n') take();
  }
  bool ends_command() const { return peek() == '\n' || peek() == ';' || peek() == '&'; }

  // "NAME" when "NAME=" stands here, and goes behind it.
  std::optional<std::string_view> take_name() {
    std::size_t end = at_;
    while (end < text_.size() && is_name_byte(text_[end])) ++end;
    const bool is_name = end > at_ && !(text_[at_] >= '0' && text_[at_] <= '9');
    if (!is_name || end == text_.size() || text_[end] != '=') return std::nullopt;
    const auto name = text_.substr(at_, end - at_);
    at_ = end + 1;
    return name;
  }

  bool take_word(std::string_view word) {
    const auto rest = text_.substr(at_);
    if (!rest.starts_with(word) || rest.size() == word.size() || !is_blank(rest[word.size()])) {
      return false;
    }
    at_ += word.size();
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

// What follows a backslash outside of quotes; a line end that it hides is nothing.
void take_escaped(Reader& reader, std::string& value) {
  if (reader.at_end()) return;
  const char c = reader.take();
  if (c != '\n') value += c;
}

void take_double_quoted(Reader& reader, std::string& value) {
  while (!reader.at_end()) {
    const char c = reader.take();
    if (c == '"') return;
    const bool escapes =
        c == '\\' && std::string_view("\\\"$`\n").find(reader.peek()) != std::string_view::npos;
    if (escapes) {
      take_escaped(reader, value);
    } else {
      value += c;
    }
  }
}

void take_single_quoted(Reader& reader, std::string& value) {
  while (!reader.at_end()) {
    const char c = reader.take();
    if (c == '\'') return;
    value += c;
  }
}

// A word up to the next blank or the command's end, its quotes taken off.
std::string take_value(Reader& reader) {
  std::string value;
  while (!reader.at_end() && !is_blank(reader.peek()) && !reader.ends_command()) {
    const char c = reader.take();
    if (c == '\'') {
      take_single_quoted(reader, value);
    } else if (c == '"') {
      take_double_quoted(reader, value);
    } else if (c == '\\') {
      take_escaped(reader, value);
    } else {
      value += c;
    }
  }
  return value;
}

// The assignments of one command; the last one to `name` goes to `found` unless something else
// follows, since then they are that command's alone.
void take_command(Reader& reader, std::string_view name, std::optional<Assignment>& found) {
  std::optional<Assignment> here;
  reader.skip_blanks();
  if (reader.take_word("export")) reader.skip_blanks();
  while (const auto assigned = reader.take_name()) {
    const int line = reader.line();
    std::string value = take_value(reader);
    if (*assigned == name) here = Assignment{std::move(value), line};
    reader.skip_blanks();
  }
  const bool plain = reader.ends_command() || reader.peek() == '#';
  if (plain && here) found = std::move(here);
  if (reader.peek() == ';' || reader.peek() == '&') {
    reader.take();
    return;
  }
  reader.skip_line();
  if (!reader.at_end()) reader.take();
}

}  // namespace

std::optional<Assignment> find_assignment(std::string_view text, std::string_view name) {
  std::optional<Assignment> found;
  Reader reader(text);
  while (!reader.at_end()) take_command(reader, name, found);
  return found;
}

}  // namespace genapp::cluster
