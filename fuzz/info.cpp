// A resource's info field: `PORT [REPLY MESSAGE]`, the message's escapes, and the words that
// HAProxy's agent check knows.

#include "lbhc/info.hpp"

#include "fuzz/property.hpp"
#include "lbhc/config.hpp"

namespace genapp::fuzz {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

void check_parsed(const lbhc::Info& info, std::string_view text) {
  require(info.port >= 1, "a port is from 1 to 65535");
  require(info.message.size() <= lbhc::kMostMessageBytes, "a message is bounded");
  require(text.ends_with(info.message), "the message is the text's end, byte for byte");
  const std::string_view before = text.substr(0, text.size() - info.message.size());
  const std::string_view digits = before.substr(0, before.find_first_of(kWhiteSpace));
  require(!digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
              std::stoul(std::string(digits)) == info.port,
          "the port is the decimal number before the first white space");
  require(before.substr(digits.size()).find_first_not_of(kWhiteSpace) == std::string_view::npos,
          "between port and message there is white space alone");
  require(info.message.empty() || kWhiteSpace.find(info.message[0]) == std::string_view::npos,
          "the message begins after the white space");
}

// An encoder of the fuzzer's own: every byte as \xHH.
std::string as_hex_escapes(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

void check_escapes(std::string_view text) {
  require(lbhc::decode_escapes(as_hex_escapes(text)) == text, "every text can be written in \\xHH");
  std::string decoded;
  if (!refusal([&] { decoded = lbhc::decode_escapes(text); }).empty()) {
    require(text.find('\\') != std::string_view::npos, "a text without backslash is refused");
    return;
  }
  require(decoded.size() <= text.size(), "decoding makes nothing longer");
  require((decoded == text) == (text.find('\\') == std::string_view::npos),
          "a text without backslash, and no other, stays as it is");
}

void check_agent_message(std::string_view message) {
  if (!refusal([&] { lbhc::check_agent_message(message); }).empty()) return;
  require(message.find_first_of("\r\n") == std::string_view::npos, "an agent's message is a line");
  const std::string_view words = message.substr(0, message.find('#'));
  require(words.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789%:, \t") ==
              std::string_view::npos,
          "an agent's message is made of HAProxy's words");
}

}  // namespace

void check(std::string_view input) {
  lbhc::Info info;
  if (refusal([&] { info = lbhc::parse_info(input); }).empty()) check_parsed(info, input);
  check_escapes(input);
  check_agent_message(input);
}

}  // namespace genapp::fuzz
