#pragma once

// Reading one HTTP/1 request: just the method and the version. Never the body.

#include <memory>
#include <string>

namespace genapp::lbhc {

enum class HttpMethod { get, head, options, other };

struct HttpRequest {
  HttpMethod method = HttpMethod::other;
  int version = 11;  // 10 or 11
};

class HttpRequestReader {
 public:
  enum class Progress {
    more,       // the header is not complete
    complete,   // request() holds it
    bad,        // not HTTP/1
    too_large,  // the header has more than kMostHeaderBytes
  };
  static constexpr std::size_t kMostHeaderBytes = 8192;

  HttpRequestReader();
  ~HttpRequestReader();
  HttpRequestReader(const HttpRequestReader&) = delete;
  HttpRequestReader& operator=(const HttpRequestReader&) = delete;

  // The next bytes of the connection. Call it no more once it has answered anything but more.
  Progress put(const char* data, std::size_t size);
  const HttpRequest& request() const;

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
  std::string pending_;  // bytes that the parser has not taken yet
};

}  // namespace genapp::lbhc
