#pragma once

// Reading one reply of a mail server (RFC 5321, 4.2): lines "250-text" and a last one "250 text",
// or "250" alone. Pure.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace genapp::monitor {

struct SmtpReply {
  int code = 0;                      // 200 to 599
  std::vector<std::string> lines{};  // the texts behind the code, as they came

  friend bool operator==(const SmtpReply&, const SmtpReply&) = default;
};

// "250 2.0.0 Ok": code and first line, printable.
std::string smtp_reply_text(const SmtpReply& reply);

// Whether this reply to EHLO offers the extension `keyword`, an upper-case word (RFC 5321, 4.1.1.1:
// a line each behind the first, in upper or lower case, perhaps with parameters).
bool offers_extension(const SmtpReply& reply, std::string_view keyword);

// Lines end with CR LF, or LF alone as some servers have it. The same bytes lead to the same result
// in however many calls they come; what is wrong is told at the first byte that is. Of the text
// only what would let a line be read in two ways is refused: a CR that no LF follows, and NUL.
class SmtpReplyReader {
 public:
  enum class Progress {
    more,      // the reply's last line is not complete
    complete,  // reply() holds it
    invalid,   // reason() says why it is none
  };
  static constexpr std::size_t kMostLineBytes = 2048;  // without its end; RFC 5321's bound is 510
  static constexpr std::size_t kMostLines = 64;
  static constexpr std::size_t kMostReplyBytes = 16 * 1024;

  // Takes the reply's bytes from the front of `bytes`; what is left there once it is complete came
  // behind it. Call it no more once it has answered anything but more.
  Progress put(std::string_view& bytes);
  const SmtpReply& reply() const { return reply_; }
  const std::string& reason() const { return reason_; }  // "no reply code"
  bool begun() const { return bytes_ > 0; }

 private:
  Progress put(char byte);
  Progress put_text(char byte);
  Progress check_code();
  Progress end_line();
  Progress invalid(std::string reason);

  SmtpReply reply_;
  std::string reason_;
  std::string line_;       // so far, without its end
  bool after_cr_ = false;  // of the line
  std::size_t bytes_ = 0;  // of the reply
};

}  // namespace genapp::monitor
