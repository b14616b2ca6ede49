// An HTTP server's answer, whole and in pieces. The input is SIZES, a line feed, a TEXT to look for
// in the body, a line feed, and what the server sends; the bytes of SIZES are the pieces' lengths,
// over and over. In what is sent a byte 1 stands for a thousand times "x", so that short inputs
// reach the bounds.

#include "monitor/http_response.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

using monitor::HttpResponseReader;
using Progress = HttpResponseReader::Progress;
using Want = HttpResponseReader::Want;

constexpr std::size_t kLongFill = 1000;
// Enough for the header's bound; read one by one, longer ones take too long to try many.
constexpr std::size_t kMostBytes = 70'000;

struct Outcome {
  Progress progress = Progress::more;
  std::optional<int> status;
  std::string line;
  bool found = false;
  std::string reason;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::string expanded(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '\1' ? kLongFill : 1, c == '\1' ? 'x' : c);
  return out;
}

std::size_t size_of(std::string_view sizes, std::size_t turn) {
  if (sizes.empty()) return 1;
  return std::max<std::size_t>(static_cast<unsigned char>(sizes[turn % sizes.size()]), 1);
}

// Every piece is a block of its own, so that a look behind its end is seen.
std::vector<std::string> cut(std::string_view bytes, std::string_view sizes) {
  std::vector<std::string> pieces;
  for (std::size_t turn = 0; !bytes.empty(); ++turn) {
    pieces.emplace_back(bytes.substr(0, size_of(sizes, turn)));
    bytes.remove_prefix(pieces.back().size());
  }
  return pieces;
}

Outcome read(Want want, const std::string& text, const std::vector<std::string>& pieces, bool end) {
  HttpResponseReader reader(want, text);
  Progress progress = Progress::more;
  for (auto piece = pieces.begin(); piece != pieces.end() && progress == Progress::more; ++piece) {
    progress = reader.put(*piece);
  }
  if (end) progress = reader.end();
  return {progress, reader.status(), reader.status_line(), reader.found(), reader.reason()};
}

void check_outcome(Want want, const Outcome& outcome, const std::string& bytes, bool end) {
  require((outcome.progress == Progress::bad) == !outcome.reason.empty(), "bad has its reason");
  if (outcome.progress == Progress::bad) require_one_line(outcome.reason);
  require(!end || outcome.progress != Progress::more, "nothing is awaited after the end");
  require(outcome.line.size() <= HttpResponseReader::kMostLine, "a line is bounded");
  if (outcome.status) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%03d", *outcome.status);
    require(outcome.line.find(digits.data()) != std::string::npos, "the code is in the line");
  }
  if (outcome.progress == Progress::complete) {
    require(bytes.starts_with("HTTP/"), "an answer begins with HTTP/");
    require(outcome.line.starts_with("HTTP/"), "and so does what is judged");
    require(want != Want::status || outcome.status, "where a status is wanted there is one");
    require(want != Want::status || *outcome.status / 100 != 1 || *outcome.status == 101,
            "no interim response is judged");
  }
  if (outcome.progress == Progress::more) {
    require(want == Want::body || bytes.size() <= HttpResponseReader::kMostHeader,
            "no more than the bound is taken while more is awaited");
    require(want != Want::first_line || bytes.size() < HttpResponseReader::kMostLine,
            "of a line neither");
  }
}

// The same bytes as a body, in each of the three ways to send one.
void check_body(const std::string& body, const std::string& text, std::string_view sizes) {
  const bool holds = body.substr(0, HttpResponseReader::kMostBody).find(text) != std::string::npos;
  const std::string begin = "HTTP/1.1 200 OK\r\n";
  const auto expect = [&](const std::string& bytes, bool end) {
    const Outcome outcome = read(Want::body, text, cut(bytes, sizes), end);
    require(outcome.progress == Progress::complete, "a body is read to its end");
    require(outcome.found == holds, "a text is found where it is, and only there");
  };
  expect(begin + "\r\n" + body, true);
  expect(begin + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body, false);
  std::string chunks;
  for (const std::string& piece : cut(body, sizes)) {
    std::array<char, 32> size{};
    std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
    chunks.append(size.data()).append(piece).append("\r\n");
  }
  expect(begin + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n", false);
}

}  // namespace

void check(std::string_view input) {
  const auto first = std::min(input.find('\n'), input.size());
  const std::string_view sizes = input.substr(0, first);
  input.remove_prefix(std::min(first + 1, input.size()));
  const auto second = std::min(input.find('\n'), input.size());
  const std::string text(input.substr(0, second));
  const std::string bytes = expanded(input.substr(std::min(second + 1, input.size())));

  if (bytes.size() > kMostBytes) return;
  for (const Want want : {Want::first_line, Want::status, Want::body}) {
    for (const bool end : {false, true}) {
      const Outcome whole = read(want, text, {bytes}, end);
      require(read(want, text, cut(bytes, sizes), end) == whole,
              "the same bytes in pieces mean the same");
      require(read(want, text, cut(bytes, ""), end) == whole, "and one by one");
      check_outcome(want, whole, bytes, end);
    }
  }
  check_body(bytes, text, sizes);
}

}  // namespace genapp::fuzz
