#pragma once

// A command's output on its way from the keeper to the manager. Every byte of a stream has its
// offset from the command's start, which is said with it wherever it goes: so a new connection
// goes on where the last one stopped, and a gap is what was dropped. docs/remote-protocol.md.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace genapp::remote {

enum class Output : std::uint8_t { out = 1, err = 2 };

inline constexpr std::size_t kMostChunkBytes = 64 * 1024;
inline constexpr std::size_t kOutputHeaderBytes = 9;

// A piece of a stream. The bytes belong to whoever made it.
struct OutputChunk {
  Output stream = Output::out;
  std::uint64_t offset = 0;  // of the first byte
  std::string_view bytes{};
};

// A number for each stream.
struct Offsets {
  std::uint64_t out = 0;
  std::uint64_t err = 0;

  std::uint64_t& of(Output stream) { return stream == Output::out ? out : err; }
  std::uint64_t of(Output stream) const { return stream == Output::out ? out : err; }
  friend bool operator==(const Offsets&, const Offsets&) = default;
};

// A binary message of the protocol: the stream (1 or 2), the offset in eight bytes, the highest
// first, then one to kMostChunkBytes bytes. The result's bytes point into `message`; nothing when
// it is none.
std::optional<OutputChunk> parse_output(std::string_view message);
// What goes before the bytes.
std::string output_header(Output stream, std::uint64_t offset);

}  // namespace genapp::remote
