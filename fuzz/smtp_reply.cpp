// A mail server's reply, whole and in pieces. The input is SIZES, a line feed, and what the server
// says; the bytes of SIZES are the pieces' lengths, over and over. In what is said a byte 1 stands
// for a thousand times "x", so that short inputs reach the bounds.

#include "monitor/smtp_reply.hpp"

#include <algorithm>
#include <optional>

#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

using monitor::SmtpReply;
using monitor::SmtpReplyReader;
using Progress = SmtpReplyReader::Progress;

constexpr std::size_t kLongFill = 1000;

struct Outcome {
  Progress progress = Progress::more;
  SmtpReply reply{};
  std::string reason{};
  std::size_t taken = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::string expanded(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '\1' ? kLongFill : 1, c == '\1' ? 'x' : c);
  return out;
}

// Every piece is a block of its own, so that a look behind its end is seen.
Outcome read(std::string_view bytes, std::string_view sizes, std::size_t otherwise) {
  SmtpReplyReader reader;
  Outcome outcome;
  for (std::size_t turn = 0; !bytes.empty() && outcome.progress == Progress::more; ++turn) {
    const std::size_t size =
        sizes.empty() ? otherwise : static_cast<unsigned char>(sizes[turn % sizes.size()]);
    const std::string piece(bytes.substr(0, std::max<std::size_t>(size, 1)));
    std::string_view left = piece;
    outcome.progress = reader.put(left);
    require(outcome.progress != Progress::more || left.empty(), "who wants more has taken all");
    outcome.taken += piece.size() - left.size();
    bytes.remove_prefix(piece.size());
  }
  if (outcome.progress == Progress::complete) outcome.reply = reader.reply();
  outcome.reason = reader.reason();
  return outcome;
}

// The text of one line of a reply without its end, if it can be one: `last` tells which kind.
std::optional<std::string> text_of(std::string_view line, std::string_view code, bool& last) {
  if (!line.starts_with(code)) return std::nullopt;
  line.remove_prefix(code.size());
  last = line.empty() || line.front() == ' ';
  if (!last && line.front() != '-') return std::nullopt;
  const std::string text(line.substr(line.empty() ? 0 : 1));
  if (text.find_first_of(std::string_view("\r\0", 2)) != std::string::npos) return std::nullopt;
  return text;
}

// A second reading by other means, of a reply that is within the bounds: nothing when it is none.
std::optional<SmtpReply> second_reading(std::string_view bytes) {
  const std::string_view code = bytes.substr(0, 3);
  if (code.size() < 3 || code.find_first_not_of("0123456789") != std::string_view::npos ||
      code < "200" || code > "599") {
    return std::nullopt;
  }
  SmtpReply reply{std::stoi(std::string(code)), {}};
  for (bool last = false; !last;) {
    const auto end = bytes.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view line = bytes.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    bytes.remove_prefix(end + 1);
    auto text = text_of(line, code, last);
    if (!text) return std::nullopt;
    reply.lines.push_back(std::move(*text));
  }
  return bytes.empty() ? std::optional(std::move(reply)) : std::nullopt;
}

bool within_bounds(const SmtpReply& reply) {
  return reply.lines.size() <= SmtpReplyReader::kMostLines &&
         std::all_of(reply.lines.begin(), reply.lines.end(), [](const std::string& line) {
           return line.size() + 4 <= SmtpReplyReader::kMostLineBytes;
         });
}

void check_shown(const SmtpReply& reply) {
  const std::string text = monitor::smtp_reply_text(reply);
  require_one_line(text);
  require(text.starts_with(std::to_string(reply.code)), "the code is shown");
  require(text.size() < 1000, "no more of the text is shown than a line holds");
  const bool offered = monitor::offers_extension(reply, "STARTTLS");
  require(!offered || reply.lines.size() > 1, "the first line offers nothing");
}

}  // namespace

void check(std::string_view input) {
  const auto end = std::min(input.find('\n'), input.size());
  const std::string bytes = expanded(input.substr(std::min(end + 1, input.size())));

  const Outcome whole = read(bytes, "", std::max<std::size_t>(bytes.size(), 1));
  require(read(bytes, input.substr(0, end), 1) == whole, "the same bytes in pieces mean the same");
  require(read(bytes, "", 1) == whole, "and one by one");
  require(whole.taken <= SmtpReplyReader::kMostReplyBytes + 1, "no more is taken than the bound");
  require((whole.progress == Progress::invalid) == !whole.reason.empty(),
          "what is wrong has a reason");
  const std::string_view taken = std::string_view(bytes).substr(0, whole.taken);
  const auto second = second_reading(taken);
  if (whole.progress == Progress::complete) {
    require(second == whole.reply, "a reply is what a second reading by other means finds");
    require(within_bounds(whole.reply), "a reply is within the bounds");
    check_shown(whole.reply);
  } else {
    require(!second || !within_bounds(*second) || taken.size() > SmtpReplyReader::kMostReplyBytes,
            "what is none is none to a second reading, or too long");
  }
  if (whole.progress == Progress::invalid) require_one_line(whole.reason);
}

}  // namespace genapp::fuzz
