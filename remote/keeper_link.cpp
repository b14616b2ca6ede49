#include "remote/keeper_link.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <vector>

#include "common/error.hpp"

namespace genapp::remote {
namespace {

using common::Ending;

constexpr std::size_t kLengthBytes = 4;
constexpr std::uint64_t kMostSignal = 64;  // signal(7)
constexpr std::uint64_t kMostMilliseconds = 3'600'000;

// The words of a message, taken one by one.
class Words {
 public:
  explicit Words(std::string_view text) : left_(text) {}

  std::string_view next() {
    const auto end = left_.find(' ');
    const std::string_view word = left_.substr(0, end);
    left_ = end == std::string_view::npos ? std::string_view() : left_.substr(end + 1);
    return word;
  }
  // Not beyond `most`; else, and where there is none, ok() is false from then on.
  std::uint64_t number(std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    const std::string_view word = next();
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    ok_ = ok_ && error == std::errc() && end == word.data() + word.size() && number <= most;
    return number;
  }
  Offsets offsets() {
    Offsets offsets;
    offsets.out = number();
    offsets.err = number();
    return offsets;
  }
  std::optional<Ending> ending(std::string_view kind) {
    if (kind != "code" && kind != "signal") return std::nullopt;
    Ending ending;
    ending.signalled = kind == "signal";
    ending.number = static_cast<int>(number(255));
    return ending;
  }
  bool ok() const { return ok_; }
  bool whole() const { return ok_ && left_.empty(); }

 private:
  std::string_view left_;
  bool ok_ = true;
};

std::string with_length(std::string_view before, std::size_t more = 0) {
  std::size_t length = before.size() + more;
  std::string message(kLengthBytes, '\0');
  for (std::size_t i = kLengthBytes; i-- > 0; length >>= 8) {
    message[i] = static_cast<char>(length & 0xff);
  }
  return message.append(before);
}

std::string text_of(const Offsets& offsets) {
  return " " + std::to_string(offsets.out) + " " + std::to_string(offsets.err);
}

std::string text_of(const Ending& ending) {
  return (ending.signalled ? " signal " : " code ") + std::to_string(ending.number);
}

struct WordFormatter {
  std::string operator()(const KeeperState& state) const {
    std::string text = "state " + std::to_string(state.pid) + " " +
                       std::to_string(state.start_ticks) + text_of(state.kept) + " " +
                       std::to_string(state.dropped);
    if (state.ended) text += text_of(*state.ended);
    if (state.drained) text += " drained" + text_of(*state.drained);
    return with_length(text);
  }
  std::string operator()(const KeeperEnded& ended) const {
    return with_length("ended" + text_of(ended.ending));
  }
  std::string operator()(const KeeperDrained& drained) const {
    return with_length("drained" + text_of(drained.offsets));
  }
  std::string operator()(const KeeperLost& lost) const {
    return with_length("lost " + std::to_string(lost.dropped));
  }
  std::string operator()(const KeeperSending& sending) const {
    return with_length("sending" + text_of(sending.from));
  }
  std::string operator()(const OutputChunk& chunk) const {
    return link_output_header(chunk).append(chunk.bytes);
  }
};

struct OrderFormatter {
  std::string operator()(const LinkSend& send) const {
    return with_length("send" + text_of(send.from));
  }
  std::string operator()(const LinkTaken& taken) const {
    return with_length("taken" + text_of(taken.offsets));
  }
  std::string operator()(const LinkHold&) const { return with_length("hold"); }
  std::string operator()(const LinkSignal& signal) const {
    return with_length("signal " + std::to_string(signal.number));
  }
  std::string operator()(const LinkStop& stop) const {
    return with_length("stop " + std::to_string(stop.kill_after.count()));
  }
  std::string operator()(const LinkForget&) const { return with_length("forget"); }
};

std::optional<KeeperWord> state_of(Words& words) {
  KeeperState state;
  state.pid = static_cast<pid_t>(words.number(std::numeric_limits<pid_t>::max()));
  state.start_ticks = words.number();
  state.kept = words.offsets();
  state.dropped = words.number();
  if (!words.ok()) return std::nullopt;
  std::string_view word = words.next();
  if ((state.ended = words.ending(word))) word = words.next();
  if (word == "drained") {
    state.drained = words.offsets();
    word = words.next();
  }
  if (!word.empty() || !words.whole()) return std::nullopt;
  return state;
}

std::optional<KeeperWord> ended_of(Words& words) {
  const auto ending = words.ending(words.next());
  if (!ending || !words.whole()) return std::nullopt;
  return KeeperEnded{*ending};
}

template <typename Message>
std::optional<Message> if_whole(const Words& words, Message message) {
  if (!words.whole()) return std::nullopt;
  return message;
}

}  // namespace

std::string format_keeper_word(const KeeperWord& word) { return std::visit(WordFormatter(), word); }

std::string format_link_order(const LinkOrder& order) {
  return std::visit(OrderFormatter(), order);
}

std::string link_output_header(const OutputChunk& chunk) {
  return with_length(output_header(chunk.stream, chunk.offset), chunk.bytes.size());
}

std::optional<KeeperWord> parse_keeper_word(std::string_view message) {
  if (const auto chunk = parse_output(message)) return *chunk;
  Words words(message);
  const std::string_view word = words.next();
  if (word == "state") return state_of(words);
  if (word == "ended") return ended_of(words);
  if (word == "drained" || word == "sending") {
    const Offsets offsets = words.offsets();
    if (word == "drained") return if_whole<KeeperWord>(words, KeeperDrained{offsets});
    return if_whole<KeeperWord>(words, KeeperSending{offsets});
  }
  if (word == "lost") {
    const std::uint64_t dropped = words.number();
    return if_whole<KeeperWord>(words, KeeperLost{dropped});
  }
  return std::nullopt;
}

std::optional<LinkOrder> parse_link_order(std::string_view message) {
  Words words(message);
  const std::string_view word = words.next();
  if (word == "send" || word == "taken") {
    const Offsets offsets = words.offsets();
    if (word == "send") return if_whole<LinkOrder>(words, LinkSend{offsets});
    return if_whole<LinkOrder>(words, LinkTaken{offsets});
  }
  if (word == "signal") {
    const auto number = static_cast<int>(words.number(kMostSignal));
    return if_whole<LinkOrder>(words, LinkSignal{number});
  }
  if (word == "stop") {
    const std::chrono::milliseconds kill_after(words.number(kMostMilliseconds));
    return if_whole<LinkOrder>(words, LinkStop{kill_after});
  }
  if (word == "hold") return if_whole<LinkOrder>(words, LinkHold{});
  if (word == "forget") return if_whole<LinkOrder>(words, LinkForget{});
  return std::nullopt;
}

std::optional<std::string_view> LinkReader::next() {
  const std::size_t used = std::exchange(used_, 0);
  if (used == bytes_.size()) {
    bytes_ = {};  // there are many readers, most of them idle
  } else {
    bytes_.erase(0, used);
  }
  if (bytes_.size() < kLengthBytes) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length = length << 8 | static_cast<unsigned char>(bytes_[i]);
  }
  if (length == 0 || length > kMostLinkBytes) {
    throw common::Error("a message of " + std::to_string(length) + " bytes");
  }
  if (bytes_.size() < kLengthBytes + length) return std::nullopt;
  used_ = kLengthBytes + length;
  return std::string_view(bytes_).substr(kLengthBytes, length);
}

}  // namespace genapp::remote
