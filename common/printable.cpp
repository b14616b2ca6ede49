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

}  // namespace genapp::common
