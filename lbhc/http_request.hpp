#pragma once

// Reading one HTTP/1 request: just the method and the version. Never the body.

#include <memory>
#include <string>

namespace genapp::lbhc {

enum class HttpMethod { get, head, options, other };

struct HttpRequest {
  HttpMethod method = HttpMethod::other;
  int version = 11;  // 10 or 11

  friend bool operator==(const HttpRequest&, const HttpRequest&) = default;
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

  // The next bytes of the connection. The same bytes lead to the same answer, in however many calls
  // they come. Call it no more once it has answered anything but more.
  Progress put(const char* data, std::size_t size);
  const HttpRequest& request() const;

 private:
  class Parser;
  // Each hands a part of pending_ to the parser; false when it is wrong.
  bool take_line(std::size_t size);
  bool take_fields(std::size_t begin, std::size_t end);

  std::unique_ptr<Parser> parser_;
  std::string pending_;  // the request so far, without empty lines before it
};

}  // namespace genapp::lbhc
