// What a script prints, cut into lines for the log.

#include "script/output.hpp"

#include <algorithm>

#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

using script::Output;
using script::OutputBounds;
using script::Stream;

// Small ones, so that short inputs reach them.
constexpr OutputBounds kBounds{.line_bytes = 16, .log_bytes = 128, .tail_lines = 3};

struct Logged {
  std::vector<std::string> lines;  // with the stream's name before each
  std::vector<std::string> tail;
  std::uint64_t bytes = 0;  // of the lines, without their ends
  std::uint64_t dropped = 0;
};

struct Piece {
  Stream stream;
  std::string_view bytes;
};

// A byte that says stream and length before each piece, which ends with the input at the latest.
std::vector<Piece> pieces_of(std::string_view input) {
  std::vector<Piece> pieces;
  while (!input.empty()) {
    const auto head = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    const std::size_t size = std::min<std::size_t>(head & 127, input.size());
    pieces.push_back({head < 128 ? Stream::out : Stream::err, input.substr(0, size)});
    input.remove_prefix(size);
  }
  return pieces;
}

Logged log_of(const std::vector<Piece>& pieces, OutputBounds bounds) {
  Logged logged;
  Output output(bounds, [&](Stream stream, std::string_view line) {
    require(line.size() <= bounds.line_bytes, "a line is bounded");
    require(line.find('\n') == std::string_view::npos, "a line is one");
    logged.lines.push_back(std::string(script::stream_name(stream)) + std::string(line));
    logged.bytes += line.size();
  });
  for (const Piece& piece : pieces) output.put(piece.stream, piece.bytes);
  output.finish();
  logged.tail = output.tail();
  logged.dropped = output.dropped();
  return logged;
}

std::vector<Piece> byte_by_byte(const std::vector<Piece>& pieces) {
  std::vector<Piece> bytes;
  for (const Piece& piece : pieces) {
    for (std::size_t i = 0; i < piece.bytes.size(); ++i) {
      bytes.push_back({piece.stream, piece.bytes.substr(i, 1)});
    }
  }
  return bytes;
}

std::string text_of(const std::vector<Piece>& pieces, Stream stream) {
  std::string text;
  for (const Piece& piece : pieces) {
    if (piece.stream == stream) text += piece.bytes;
  }
  return text;
}

// By other means than Output's: every line end ends one, and so does the bound; what is left over
// counts when it is not empty.
std::vector<std::string> lines_by_hand(std::string_view text, std::size_t most,
                                       const std::string& before) {
  std::vector<std::string> lines;
  std::string line;
  for (const char c : text) {
    if (c != '\n' && line.size() == most) {
      lines.push_back(before + line);
      line.clear();
    }
    if (c == '\n') {
      lines.push_back(before + line);
      line.clear();
    } else {
      line += c;
    }
  }
  if (!line.empty()) lines.push_back(before + line);
  return lines;
}

// Without a bound on the whole, each stream's lines are in its order and nothing is lost.
void check_lines(const std::vector<Piece>& pieces) {
  OutputBounds bounds = kBounds;
  bounds.log_bytes = 1 << 20;
  const Logged logged = log_of(pieces, bounds);
  require(logged.dropped == 0, "within the bound nothing is dropped");
  for (const Stream stream : {Stream::out, Stream::err}) {
    const std::string name(script::stream_name(stream));
    std::vector<std::string> own;
    std::copy_if(logged.lines.begin(), logged.lines.end(), std::back_inserter(own),
                 [&](const std::string& line) { return line.starts_with(name); });
    require(own == lines_by_hand(text_of(pieces, stream), bounds.line_bytes, name),
            "a stream's lines are its text's");
  }
}

}  // namespace

void check(std::string_view input) {
  const std::vector<Piece> pieces = pieces_of(input);
  check_lines(pieces);

  const Logged logged = log_of(pieces, kBounds);
  // The last line may go beyond, and so may what each stream has begun.
  require(logged.bytes <= kBounds.log_bytes + 3 * kBounds.line_bytes, "the log is bounded");
  require(logged.tail.size() <= kBounds.tail_lines, "the tail is bounded");
  for (const std::string& line : logged.tail) {
    require(line.size() <= kBounds.line_bytes, "a line of the tail is bounded");
  }
  std::uint64_t put = 0;
  std::uint64_t ends = 0;
  for (const Piece& piece : pieces) {
    put += piece.bytes.size();
    ends += static_cast<std::uint64_t>(std::count(piece.bytes.begin(), piece.bytes.end(), '\n'));
  }
  require(logged.bytes + logged.dropped <= put && put <= logged.bytes + logged.dropped + ends,
          "every byte but line ends is logged or counted");

  const Logged again = log_of(byte_by_byte(pieces), kBounds);
  require(again.lines == logged.lines && again.dropped == logged.dropped,
          "the same bytes give the same lines, one by one or in pieces");
}

}  // namespace genapp::fuzz
