#include "lbhc/info.hpp"

#include <charconv>

#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::lbhc {
namespace {

using common::Error;

constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that a one-letter escape stands for; -1 for none.
int simple_escape(char letter) {
  constexpr std::string_view kLetters = "abefnrtv0\\\"'";
  constexpr std::string_view kBytes("\a\b\x1b\f\n\r\t\v\0\\\"'", 12);
  const auto at = kLetters.find(letter);
  return at == std::string_view::npos ? -1 : static_cast<unsigned char>(kBytes[at]);
}

}  // namespace

Info parse_info(std::string_view text) {
  const std::string_view port = text.substr(0, text.find_first_of(kWhiteSpace));
  if (port.empty()) {
    throw Error("info " + common::quoted(text) + " has no port: it must be PORT [REPLY MESSAGE]");
  }
  unsigned number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535) {
    throw Error("info " + common::quoted(text) + ": the port " + common::quoted(port) +
                " must be a number from 1 to 65535");
  }
  Info info{static_cast<std::uint16_t>(number), ""};
  const auto begin = text.find_first_not_of(kWhiteSpace, port.size());
  if (begin != std::string_view::npos) info.message = text.substr(begin);
  if (info.message.size() > kMostMessageBytes) {
    throw Error("info's reply message has " + std::to_string(info.message.size()) +
                " bytes, at most " + std::to_string(kMostMessageBytes) + " are allowed");
  }
  return info;
}

std::string decode_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const char letter = i + 1 < text.size() ? text[i + 1] : '\0';
    const bool hex = letter == 'x' && i + 3 < text.size() && hex_digit(text[i + 2]) >= 0 &&
                     hex_digit(text[i + 3]) >= 0;
    const int simple = i + 1 < text.size() ? simple_escape(letter) : -1;
    if (hex) {
      out += static_cast<char>(hex_digit(text[i + 2]) * 16 + hex_digit(text[i + 3]));
      i += 3;
    } else if (simple >= 0) {
      out += static_cast<char>(simple);
      i += 1;
    } else {
      throw Error("reply message " + common::quoted(text) + ": " +
                  common::quoted(text.substr(i, letter == 'x' ? 4 : 2)) +
                  " is no C escape; write a backslash as \\\\");
    }
  }
  return out;
}

}  // namespace genapp::lbhc
