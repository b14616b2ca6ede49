#include "lbhc/http_request.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <string_view>

namespace genapp::lbhc {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

constexpr std::string_view kEndOfHeader = "\r\n\r\n";

HttpMethod method_of(http::verb verb) {
  switch (verb) {
    case http::verb::get:
      return HttpMethod::get;
    case http::verb::head:
      return HttpMethod::head;
    case http::verb::options:
      return HttpMethod::options;
    default:
      return HttpMethod::other;
  }
}

}  // namespace

// Beast's parser, storing no fields.
class HttpRequestReader::Parser : public http::basic_parser<true> {
 public:
  HttpRequest request;

 private:
  void on_request_impl(http::verb verb, string_view, string_view, int version,
                       error_code&) override {
    request = {method_of(verb), version};
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(http::field, string_view, string_view, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

HttpRequestReader::HttpRequestReader() : parser_(std::make_unique<Parser>()) {
  parser_->header_limit(kMostHeaderBytes);
  parser_->body_limit(boost::none);
  // A request whose body we never read is complete with its header.
  parser_->skip(true);
}

HttpRequestReader::~HttpRequestReader() = default;

// Beast's parser, once it has asked for more, reads on only when the header's end is there. Handed
// the line and the fields, each when it is whole, it answers the same however the bytes came.
HttpRequestReader::Progress HttpRequestReader::put(const char* data, std::size_t size) {
  const std::size_t seen = std::max(pending_.size(), kEndOfHeader.size()) - kEndOfHeader.size();
  pending_.append(data, size);
  // RFC 9112, 2.2: empty lines before the request are to be ignored.
  pending_.erase(0, pending_.find_first_not_of("\r\n"));
  if (pending_.empty()) return Progress::more;
  // What can't begin a request (TLS's 0x16, a port scanner's zeros) is told at once instead of
  // after a time-out.
  if (pending_[0] < 'A' || pending_[0] > 'Z') return Progress::bad;
  const std::size_t line = pending_.find('\n');
  if (line < kMostHeaderBytes && !parser_->got_some() && !take_line(line + 1)) return Progress::bad;
  const std::size_t end = pending_.find(kEndOfHeader, seen);
  if (end > kMostHeaderBytes - kEndOfHeader.size()) {
    return pending_.size() > kMostHeaderBytes ? Progress::too_large : Progress::more;
  }
  return take_fields(line + 1, end + kEndOfHeader.size()) ? Progress::complete : Progress::bad;
}

bool HttpRequestReader::take_line(std::size_t size) {
  error_code error;
  const std::size_t taken = parser_->put(boost::asio::buffer(pending_.data(), size), error);
  return error == http::error::need_more && taken == size;
}

bool HttpRequestReader::take_fields(std::size_t begin, std::size_t end) {
  error_code error;
  parser_->put(boost::asio::buffer(pending_.data() + begin, end - begin), error);
  return !error && parser_->is_header_done();
}

const HttpRequest& HttpRequestReader::request() const { return parser_->request; }

}  // namespace genapp::lbhc
