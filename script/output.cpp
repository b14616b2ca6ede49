#include "script/output.hpp"

namespace genapp::script {
namespace {

// So much of what is dropped is kept, to be told at the end.
constexpr std::size_t kOverflowBytes = 2048;

}  // namespace

std::string_view stream_name(Stream stream) { return stream == Stream::out ? "stdout" : "stderr"; }

void Output::put(Stream stream, std::string_view bytes) {
  while (!bytes.empty()) {
    if (logged_ >= bounds_.log_bytes) return drop(stream, bytes);
    std::string& begun = part(stream).begun;
    const std::size_t room = bounds_.line_bytes - begun.size();
    // The end of a line that just fits stands behind it.
    const std::size_t end = bytes.substr(0, room + 1).find('\n');
    if (end == std::string_view::npos && bytes.size() <= room) {
      begun.append(bytes);
      return;
    }
    const std::size_t size = end == std::string_view::npos ? room : end;
    begun.append(bytes.substr(0, size));
    bytes.remove_prefix(size + (end == std::string_view::npos ? 0 : 1));
    line(stream, begun);
    begun.clear();
  }
}

void Output::line(Stream stream, std::string_view text) {
  logged_ += text.size() + 1;
  sink_(stream, text);
  remember(text);
}

void Output::remember(std::string_view text) {
  tail_.emplace_back(text);
  if (tail_.size() > bounds_.tail_lines) tail_.pop_front();
}

// A gigabyte may come this way: nothing is looked at.
void Output::drop(Stream stream, std::string_view bytes) {
  Part& own = part(stream);
  std::string& kept = own.overflow;
  // The line's beginning was not logged either.
  dropped_ += own.begun.size() + bytes.size();
  kept.append(own.begun);
  own.begun.clear();
  if (bytes.size() >= kOverflowBytes) {
    kept = bytes.substr(bytes.size() - kOverflowBytes);
    return;
  }
  kept.append(bytes);
  if (kept.size() > 2 * kOverflowBytes) kept.erase(0, kept.size() - kOverflowBytes);
}

void Output::finish() {
  for (const Stream stream : {Stream::out, Stream::err}) {
    Part& rest = part(stream);
    if (!rest.begun.empty() && rest.overflow.empty()) line(stream, rest.begun);
    rest.begun.clear();
    std::string_view text = rest.overflow;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      remember(text.substr(0, std::min(end, bounds_.line_bytes)));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    rest.overflow.clear();
  }
}

std::vector<std::string> Output::tail() const { return {tail_.begin(), tail_.end()}; }

std::string last_words(const Output& output) {
  std::string words;
  for (const std::string& line : output.tail()) {
    if (!line.empty()) words += (words.empty() ? "" : " | ") + line;
  }
  return words.empty() ? ", without a word" : ", and last said: " + words;
}

}  // namespace genapp::script
