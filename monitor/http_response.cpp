#include "monitor/http_response.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>
#include <utility>

#include "common/printable.hpp"

namespace genapp::monitor {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::string_view kStart = "HTTP/";
constexpr std::size_t kMostQuoted = 80;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// "HTTP/1.1 200 OK", "HTTP/2 200", "HTTP/1.0  404 Not Found"; not "HTTP/1.1 2000".
std::optional<int> status_in(std::string_view line) {
  const std::size_t blank = line.find_first_of(" \t");
  const std::size_t begin = line.find_first_not_of(" \t", blank);
  if (blank == std::string_view::npos || begin == std::string_view::npos) return std::nullopt;
  line.remove_prefix(begin);
  const auto digits =
      static_cast<std::size_t>(std::find_if_not(line.begin(), line.end(), is_digit) - line.begin());
  if (digits != 3) return std::nullopt;
  return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

}  // namespace

// Beast's parser, storing no fields. What it finds of the body goes to the reader.
class HttpResponseReader::Parser : public http::basic_parser<false> {
 public:
  explicit Parser(HttpResponseReader& reader) : reader_(reader) {
    header_limit(std::numeric_limits<std::uint32_t>::max());  // the reader has its own
    body_limit(boost::none);
  }

  std::uint64_t chunk_left = 0;

 private:
  void on_request_impl(http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(http::field, string_view, string_view, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override {
    reader_.look_at({body.data(), body.size()});
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t size, string_view, error_code&) override {
    chunk_left = size;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    chunk_left -= body.size();
    reader_.look_at({body.data(), body.size()});
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  HttpResponseReader& reader_;
};

HttpResponseReader::HttpResponseReader(Want want, std::string text)
    : want_(want), text_(std::move(text)), found_(text_.empty()) {}

HttpResponseReader::~HttpResponseReader() = default;

HttpResponseReader::Progress HttpResponseReader::put(std::string_view bytes) {
  while (!bytes.empty() && stage_ != Stage::over) take(bytes);
  return progress_;
}

HttpResponseReader::Progress HttpResponseReader::end() {
  if (stage_ == Stage::status_line) {
    if (header_bytes_ == 0) {
      finish(Progress::bad, "the server ended the connection without an answer");
    } else if (line_.size() < kStart.size()) {
      finish(Progress::bad, "the server ended the connection before a status line");
    } else {
      // A line that only the connection's end ends.
      take_status_line();
    }
  }
  if (stage_ == Stage::fields) {
    finish(Progress::bad, "the server ended the connection within the header");
  }
  if (stage_ == Stage::body || stage_ == Stage::framing) {
    error_code error;
    parser_->put_eof(error);
    finish(error ? Progress::bad : Progress::complete,
           error ? "the server ended the connection within the body, after " +
                       std::to_string(body_bytes_) + " bytes of it"
                 : "");
  }
  return progress_;
}

// A step forward.
void HttpResponseReader::take(std::string_view& bytes) {
  switch (stage_) {
    case Stage::status_line:
    case Stage::fields:
      take_header_byte(bytes.front());
      bytes.remove_prefix(1);
      return;
    case Stage::body:
      return take_body(bytes);
    case Stage::framing:
      return take_framing(bytes);
    case Stage::over:
      return;
  }
}

void HttpResponseReader::take_header_byte(char byte) {
  if (++header_bytes_ > kMostHeader) {
    return finish(Progress::bad,
                  "the header has more than " + std::to_string(kMostHeader) + " bytes");
  }
  if (byte != '\n') {
    const bool first = stage_ == Stage::status_line;
    // Of a status line that is too long what follows is passed over.
    if (!first || line_.size() < kMostLine) line_ += byte;
    if (!first) return;
    const std::size_t size = std::min(line_.size(), kStart.size());
    if (line_.compare(0, size, kStart, 0, size) != 0) {
      return finish(Progress::bad, "the answer does not begin with HTTP/");
    }
    // The beginning tells all that is wanted.
    if (line_.size() == kMostLine && want_ != Want::body) take_status_line();
    return;
  }
  if (line_.ends_with('\r')) line_.pop_back();
  stage_ == Stage::status_line ? take_status_line() : take_field();
}

bool HttpResponseReader::interim() const {
  return status_ && *status_ / 100 == 1 && *status_ != 101;
}

void HttpResponseReader::take_status_line() {
  if (line_.size() < kStart.size()) {
    return finish(Progress::bad, "the answer does not begin with HTTP/");
  }
  status_line_ = std::exchange(line_, {});
  status_ = status_in(status_line_);
  if (want_ == Want::first_line) return finish(Progress::complete);
  if (want_ == Want::status && !status_) {
    return finish(Progress::bad, "no status code in " + common::quoted(status_line_, kMostQuoted));
  }
  if (want_ == Want::status && !interim()) return finish(Progress::complete);
  stage_ = Stage::fields;
  // The line as the parser wants it. It looks at the code only, to know whether there is a body.
  header_ = "HTTP/1.1 " + std::to_string(std::max(status_.value_or(200), 100)) + " X\r\n";
}

void HttpResponseReader::take_field() {
  const std::string line = std::exchange(line_, {});
  if (!line.empty()) {
    if (!interim()) header_.append(line).append("\r\n");
    return;
  }
  if (!interim()) return begin_body();
  stage_ = Stage::status_line;
}

void HttpResponseReader::begin_body() {
  parser_ = std::make_unique<Parser>(*this);
  header_ += "\r\n";
  error_code error;
  parser_->put(boost::asio::buffer(header_), error);
  header_ = {};
  if (error || !parser_->is_header_done()) {
    return finish(Progress::bad, "the header is wrong: " + (error ? error.message() : "no end"));
  }
  if (parser_->is_done()) return finish(Progress::complete);
  stage_ = parser_->chunked() ? Stage::framing : Stage::body;
}

void HttpResponseReader::take_body(std::string_view& bytes) {
  // No more than is looked at: what follows must not decide.
  const std::size_t most = std::min(bytes.size(), kMostBody - body_bytes_);
  error_code error;
  const std::size_t used = parser_->put(boost::asio::buffer(bytes.data(), most), error);
  bytes.remove_prefix(used);
  if (body_bytes_ >= kMostBody || parser_->is_done()) return finish(Progress::complete);
  if (error) return finish(Progress::bad, "the body is wrong: " + error.message());
  if (parser_->chunked() && parser_->chunk_left == 0) stage_ = Stage::framing;
}

// Beast's parser is given a chunk's beginning when all of it is there: how it would go on from a
// half depends on where the half ends.
void HttpResponseReader::take_framing(std::string_view& bytes) {
  const std::size_t before = framing_.size();
  framing_.append(bytes.substr(0, kMostFraming - before));
  const auto size = framing_size();
  if (!size) {
    bytes.remove_prefix(framing_.size() - before);
    if (framing_.size() < kMostFraming) return;
    return finish(Progress::bad,
                  "a chunk's beginning has more than " + std::to_string(kMostFraming) + " bytes");
  }
  bytes.remove_prefix(*size - before);
  error_code error;
  const std::size_t used = parser_->put(boost::asio::buffer(framing_.data(), *size), error);
  framing_.clear();
  first_chunk_ = false;
  if (error || used != *size) {
    return finish(Progress::bad,
                  "the body's chunks are wrong" + (error ? ": " + error.message() : ""));
  }
  if (parser_->is_done()) return finish(Progress::complete);
  stage_ = Stage::body;
}

// Of a chunk's beginning in framing_, with the line end of the chunk before; nothing when it is not
// whole. RFC 9112, 7.1.
std::optional<std::size_t> HttpResponseReader::framing_size() const {
  const std::size_t begin = first_chunk_ ? 0 : 2;
  if (framing_.size() < begin) return std::nullopt;
  const std::size_t line = framing_.find("\r\n", begin);
  if (line == std::string::npos) return std::nullopt;
  const std::size_t digit = framing_.find_first_not_of('0', begin);
  const bool last = digit > begin && !is_hex(framing_[digit]);
  if (!last) return line + 2;
  const std::size_t end = framing_.find("\r\n\r\n", line);
  if (end == std::string::npos) return std::nullopt;
  return end + 4;
}

void HttpResponseReader::look_at(std::string_view piece) {
  piece = piece.substr(0, kMostBody - body_bytes_);
  body_bytes_ += piece.size();
  if (found_) return;
  tail_.append(piece);
  found_ = tail_.find(text_) != std::string::npos;
  tail_.erase(0, tail_.size() - std::min(tail_.size(), text_.size() - 1));
}

void HttpResponseReader::finish(Progress progress, std::string reason) {
  progress_ = progress;
  reason_ = std::move(reason);
  stage_ = Stage::over;
}

}  // namespace genapp::monitor
