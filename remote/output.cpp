#include "remote/output.hpp"

namespace genapp::remote {

std::optional<OutputChunk> parse_output(std::string_view message) {
  if (message.size() <= kOutputHeaderBytes) return std::nullopt;
  if (message.size() > kOutputHeaderBytes + kMostChunkBytes) return std::nullopt;
  const auto stream = static_cast<Output>(message[0]);
  if (stream != Output::out && stream != Output::err) return std::nullopt;
  std::uint64_t offset = 0;
  for (std::size_t i = 1; i < kOutputHeaderBytes; ++i) {
    offset = offset << 8 | static_cast<unsigned char>(message[i]);
  }
  return OutputChunk{stream, offset, message.substr(kOutputHeaderBytes)};
}

std::string output_header(Output stream, std::uint64_t offset) {
  std::string header(kOutputHeaderBytes, '\0');
  header[0] = static_cast<char>(stream);
  for (std::size_t i = kOutputHeaderBytes; i-- > 1; offset >>= 8) {
    header[i] = static_cast<char>(offset & 0xff);
  }
  return header;
}

}  // namespace genapp::remote
