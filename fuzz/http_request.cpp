// An HTTP probe's request, whole and in pieces. The input is SIZES, a line feed, and what the
// prober sends; the bytes of SIZES are the pieces' lengths, over and over. In what is sent a byte 1
// stands for a thousand times "x", so that short inputs reach the bound on the header.

#include "lbhc/http_request.hpp"

#include <algorithm>

#include "common/clock.hpp"
#include "fuzz/property.hpp"
#include "lbhc/reply.hpp"

namespace genapp::fuzz {
namespace {

using lbhc::HttpMethod;
using lbhc::HttpRequestReader;
using Progress = HttpRequestReader::Progress;

constexpr std::size_t kLongFill = 1000;

struct Outcome {
  Progress progress = Progress::more;
  HttpMethod method = HttpMethod::other;
  int version = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome outcome_of(Progress progress, const HttpRequestReader& reader) {
  if (progress != Progress::complete) return {progress};
  return {progress, reader.request().method, reader.request().version};
}

std::string expanded(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '\1' ? kLongFill : 1, c == '\1' ? 'x' : c);
  return out;
}

Outcome read_whole(const std::string& bytes) {
  HttpRequestReader reader;
  return outcome_of(reader.put(bytes.data(), bytes.size()), reader);
}

// Every piece is a block of its own, so that a look behind its end is seen.
Outcome read_in_pieces(std::string_view bytes, std::string_view sizes) {
  HttpRequestReader reader;
  Progress progress = Progress::more;
  for (std::size_t turn = 0; !bytes.empty() && progress == Progress::more; ++turn) {
    const std::size_t size =
        sizes.empty() ? 1 : static_cast<unsigned char>(sizes[turn % sizes.size()]);
    const std::string piece(bytes.substr(0, std::max<std::size_t>(size, 1)));
    bytes.remove_prefix(piece.size());
    progress = reader.put(piece.data(), piece.size());
  }
  return outcome_of(progress, reader);
}

void check_complete(const Outcome& outcome, std::string_view bytes) {
  require(outcome.version == 10 || outcome.version == 11, "the version is 1.0 or 1.1");
  bytes.remove_prefix(std::min(bytes.find_first_not_of("\r\n"), bytes.size()));
  require(bytes.substr(0, HttpRequestReader::kMostHeaderBytes + 2).find("\r\n\r\n") !=
              std::string_view::npos,
          "a request is complete with the empty line within the bound");
  const std::string_view line = bytes.substr(0, bytes.find("\r\n"));
  require(line.ends_with(outcome.version == 10 ? " HTTP/1.0" : " HTTP/1.1"), "the version is told");
  require(line.starts_with("GET ") == (outcome.method == HttpMethod::get), "GET is GET");
  require(line.starts_with("HEAD ") == (outcome.method == HttpMethod::head), "HEAD is HEAD");
  require(line.starts_with("OPTIONS ") == (outcome.method == HttpMethod::options),
          "OPTIONS is OPTIONS");
}

void check_reply(const Outcome& outcome) {
  const std::string message = "OK\n";
  const std::string reply =
      lbhc::http_reply({outcome.method, outcome.version}, message, false, common::WallClock::now());
  const bool answered = outcome.method != HttpMethod::other;
  require(reply.starts_with("HTTP/1.") && (reply.substr(8, 5) == " 200 ") == answered,
          "200 to what is known");
  require(reply.ends_with("\r\n\r\n") == (outcome.method == HttpMethod::head),
          "HEAD alone has no body");
}

}  // namespace

void check(std::string_view input) {
  const auto end = std::min(input.find('\n'), input.size());
  const std::string bytes = expanded(input.substr(std::min(end + 1, input.size())));

  const Outcome whole = read_whole(bytes);
  require(read_in_pieces(bytes, input.substr(0, end)) == whole,
          "the same bytes in pieces mean the same");
  require(read_in_pieces(bytes, "") == whole, "and one by one");
  if (whole.progress == Progress::complete) {
    check_complete(whole, bytes);
    check_reply(whole);
  }
  if (whole.progress == Progress::more) {
    const auto first = std::min(bytes.find_first_not_of("\r\n"), bytes.size());
    require(bytes.size() - first <= HttpRequestReader::kMostHeaderBytes,
            "no more than the bound is kept while more is awaited");
  }
}

}  // namespace genapp::fuzz
