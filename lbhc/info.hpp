#pragma once

// A resource's info field for LBHC: `PORT [REPLY MESSAGE]` (seed 000; facts in docs/lbhc.md).

#include <cstdint>
#include <string>
#include <string_view>

namespace genapp::lbhc {

struct Info {
  std::uint16_t port = 0;
  std::string message;  // everything after the first run of white space, byte for byte
};

// The longest reply: small enough to fit any socket's send buffer in one call.
inline constexpr std::size_t kMostMessageBytes = 4096;

// Throws common::Error saying what is wrong with the text.
Info parse_info(std::string_view text);

// The C escapes \a \b \e \f \n \r \t \v \0 \\ \" \' \xHH decoded. Throws common::Error on any
// other.
std::string decode_escapes(std::string_view text);

}  // namespace genapp::lbhc
