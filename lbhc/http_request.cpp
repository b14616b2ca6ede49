#include "lbhc/http_request.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>

namespace genapp::lbhc {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

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

HttpRequestReader::Progress HttpRequestReader::put(const char* data, std::size_t size) {
  pending_.append(data, size);
  // RFC 9112, 2.2: empty lines before the request are to be ignored.
  if (!parser_->got_some()) pending_.erase(0, pending_.find_first_not_of("\r\n"));
  // The parser looks for the end of the line first. What can't begin a request (TLS's 0x16, a port
  // scanner's zeros) is told at once instead of after a time-out.
  const unsigned char first = pending_.empty() ? 'G' : static_cast<unsigned char>(pending_[0]);
  if (!parser_->got_some() && (first < 'A' || first > 'Z')) {
    return Progress::bad;
  }
  while (!pending_.empty() && !parser_->is_header_done()) {
    error_code error;
    const std::size_t taken =
        parser_->put(boost::asio::buffer(pending_.data(), pending_.size()), error);
    pending_.erase(0, taken);
    if (error == http::error::need_more) {
      return pending_.size() > kMostHeaderBytes ? Progress::too_large : Progress::more;
    }
    if (error == http::error::header_limit) return Progress::too_large;
    if (error) return Progress::bad;
    if (taken == 0) break;
  }
  return parser_->is_header_done() ? Progress::complete : Progress::more;
}

const HttpRequest& HttpRequestReader::request() const { return parser_->request; }

}  // namespace genapp::lbhc
