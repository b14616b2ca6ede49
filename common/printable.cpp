#include "common/printable.hpp"

namespace genapp::common {
namespace {

std::string escaped(std::string_view text, bool escape_quotes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (escape_quotes && (c == '"' || c == '\\')) {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte > 0x7e) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

bool is_continuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// The length of the UTF-8 character (RFC 3629) that `text` begins with, if it has more than one
// byte; 0 when it begins with none.
std::size_t character_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(byte(i))) return 0;
  }
  const bool overlong = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90);
  const bool surrogate = byte(0) == 0xed && byte(1) > 0x9f;
  const bool beyond = byte(0) == 0xf4 && byte(1) > 0x8f;
  // U+0080 to U+009f are control characters too.
  const bool control = byte(0) == 0xc2 && byte(1) < 0xa0;
  return overlong || surrogate || beyond || control ? 0 : length;
}

std::string length_note(std::string_view text, std::size_t most) {
  return text.size() > most ? "... (" + std::to_string(text.size()) + " bytes)" : "";
}

}  // namespace

std::string quoted(std::string_view text, std::size_t most) {
  return '"' + escaped(text.substr(0, most), true) + '"' + length_note(text, most);
}

std::string printable(std::string_view text, std::size_t most) {
  return escaped(text.substr(0, most), false) + length_note(text, most);
}

std::string printable_utf8(std::string_view text, std::size_t most) {
  const std::string note = length_note(text, most);
  text = text.substr(0, most);
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    out += length > 0 ? std::string(text.substr(0, length)) : escaped(text.substr(0, 1), false);
    text.remove_prefix(length > 0 ? length : 1);
  }
  return out + note;
}

}  // namespace genapp::common
