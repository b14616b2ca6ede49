#pragma once

// Reading an HTTP/1 response as far as a check needs it. The first line is read leniently, since a
// monitor judges servers of all kinds by it; header and body by Beast's parser. Memory is bounded,
// whatever a server sends. Pure.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace genapp::monitor {

class HttpResponseReader {
 public:
  enum class Progress {
    more,      // what has come is well so far
    complete,  // what is wanted is there
    bad,       // it is no HTTP, or breaks a bound: reason()
  };
  enum class Want {
    first_line,  // any that begins with HTTP/
    status,      // the first status line but those of interim responses (1xx, except 101)
    body,        // that one's whole message, or so much of it as kMostBody says
  };
  // Of a longer first line the beginning is judged.
  static constexpr std::size_t kMostLine = 8192;
  // Status lines and fields, of interim responses too.
  static constexpr std::size_t kMostHeader = 65536;
  static constexpr std::size_t kMostBody = 1048576;
  // A chunk's size with its extensions; the last one's also with the trailer.
  static constexpr std::size_t kMostFraming = 8192;

  // `text` is looked for in the body.
  explicit HttpResponseReader(Want want, std::string text = {});
  ~HttpResponseReader();
  HttpResponseReader(const HttpResponseReader&) = delete;
  HttpResponseReader& operator=(const HttpResponseReader&) = delete;

  // The next bytes of the connection. The same bytes lead to the same answer, in however many calls
  // they come. Once it has answered anything but more it stays with that.
  Progress put(std::string_view bytes);
  // The peer has ended.
  Progress end();

  // The last one read, without its end.
  const std::string& status_line() const { return status_line_; }
  // Three digits after the version; nothing when there are none.
  std::optional<int> status() const { return status_; }
  bool found() const { return found_; }
  const std::string& reason() const { return reason_; }

 private:
  enum class Stage { status_line, fields, body, framing, over };
  class Parser;

  void take(std::string_view& bytes);
  void take_header_byte(char byte);
  void take_status_line();
  void take_field();
  void begin_body();
  void take_body(std::string_view& bytes);
  void take_framing(std::string_view& bytes);
  std::optional<std::size_t> framing_size() const;
  void look_at(std::string_view piece);
  bool interim() const;
  void finish(Progress progress, std::string reason = {});

  const Want want_;
  const std::string text_;
  Stage stage_ = Stage::status_line;
  Progress progress_ = Progress::more;
  std::string reason_;
  std::string line_;              // the one that is being read
  std::size_t header_bytes_ = 0;  // so far, of all responses
  std::string header_;            // of the one whose body is wanted, for the parser
  std::string status_line_;
  std::optional<int> status_;
  std::unique_ptr<Parser> parser_;
  std::string framing_;  // of a chunk, until it is whole
  bool first_chunk_ = true;
  std::size_t body_bytes_ = 0;
  std::string tail_;  // of the body, where the text may have begun
  bool found_ = false;
};

}  // namespace genapp::monitor
