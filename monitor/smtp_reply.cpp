#include "monitor/smtp_reply.hpp"

#include <algorithm>

#include "common/printable.hpp"

namespace genapp::monitor {
namespace {

constexpr std::size_t kCodeBytes = 3;
constexpr std::size_t kMostTextBytes = 200;

bool digit(char byte) { return byte >= '0' && byte <= '9'; }

// RFC 5321, 4.2.1: no SMTP server sends 1yz, and nothing is above 5yz. The second digit is not
// looked at: 4.2 has clients act on the first alone where they don't know the code.
bool may_be_code(std::string_view begin) {
  return begin.front() >= '2' && begin.front() <= '5' &&
         std::all_of(begin.begin(), begin.end(), digit);
}

int number(std::string_view code) {
  int value = 0;
  for (const char byte : code) value = 10 * value + (byte - '0');
  return value;
}

char upper(char byte) {
  return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
}

bool begins_with_word(std::string_view line, std::string_view word) {
  return line.size() >= word.size() &&
         std::equal(word.begin(), word.end(), line.begin(),
                    [](char wanted, char byte) { return wanted == upper(byte); }) &&
         (line.size() == word.size() || line[word.size()] == ' ');
}

}  // namespace

std::string smtp_reply_text(const SmtpReply& reply) {
  std::string text = std::to_string(reply.code);
  if (!reply.lines.empty() && !reply.lines.front().empty()) text += " " + reply.lines.front();
  return common::printable(text, kMostTextBytes);
}

bool offers_extension(const SmtpReply& reply, std::string_view keyword) {
  return reply.lines.size() > 1 && std::any_of(reply.lines.begin() + 1, reply.lines.end(),
                                               [keyword](const std::string& line) {
                                                 return begins_with_word(line, keyword);
                                               });
}

SmtpReplyReader::Progress SmtpReplyReader::put(std::string_view& bytes) {
  Progress progress = Progress::more;
  while (progress == Progress::more && !bytes.empty()) {
    progress = put(bytes.front());
    bytes.remove_prefix(1);
  }
  return progress;
}

SmtpReplyReader::Progress SmtpReplyReader::put(char byte) {
  if (++bytes_ > kMostReplyBytes) {
    return invalid("more than " + std::to_string(kMostReplyBytes) + " bytes");
  }
  if (byte == '\n') return end_line();
  if (after_cr_) return invalid("a carriage return within a line");
  if (byte == '\r') {
    after_cr_ = true;
    return Progress::more;
  }
  return put_text(byte);
}

SmtpReplyReader::Progress SmtpReplyReader::put_text(char byte) {
  if (byte == '\0') return invalid("a NUL byte");
  if (line_.size() == kMostLineBytes) {
    return invalid("a line of more than " + std::to_string(kMostLineBytes) + " bytes");
  }
  line_ += byte;
  if (line_.size() <= kCodeBytes) return check_code();
  if (line_.size() == kCodeBytes + 1 && byte != ' ' && byte != '-') {
    return invalid("neither a blank nor a hyphen behind the reply code");
  }
  return Progress::more;
}

SmtpReplyReader::Progress SmtpReplyReader::check_code() {
  if (!may_be_code(line_)) return invalid("no reply code");
  if (line_.size() < kCodeBytes) return Progress::more;
  const int code = number(line_);
  if (reply_.lines.empty()) reply_.code = code;
  if (code == reply_.code) return Progress::more;
  return invalid("two reply codes, " + std::to_string(reply_.code) + " and " +
                 std::to_string(code));
}

SmtpReplyReader::Progress SmtpReplyReader::end_line() {
  after_cr_ = false;
  if (line_.size() < kCodeBytes) return invalid("no reply code");
  const bool last = line_.size() == kCodeBytes || line_[kCodeBytes] == ' ';
  line_.erase(0, kCodeBytes + 1);
  reply_.lines.push_back(std::move(line_));
  line_.clear();
  if (last) return Progress::complete;
  if (reply_.lines.size() < kMostLines) return Progress::more;
  return invalid("more than " + std::to_string(kMostLines) + " lines");
}

SmtpReplyReader::Progress SmtpReplyReader::invalid(std::string reason) {
  reason_ = std::move(reason);
  return Progress::invalid;
}

}  // namespace genapp::monitor
