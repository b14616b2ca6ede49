#pragma once

// What a script prints, cut into lines for the log, within bounds. Pure.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace genapp::script {

enum class Stream { out, err };
std::string_view stream_name(Stream stream);  // "stdout"

struct OutputBounds {
  std::size_t line_bytes = 1024;       // a longer line is logged in pieces
  std::size_t log_bytes = 256 * 1024;  // in all; what comes later is counted, and its end kept
  std::size_t tail_lines = 5;          // of both streams together
};

class Output {
 public:
  using Sink = std::function<void(Stream, std::string_view line)>;

  // `sink` is given each line within the bounds, in order of arrival, without its end.
  Output(OutputBounds bounds, Sink sink) : bounds_(bounds), sink_(std::move(sink)) {}

  void put(Stream stream, std::string_view bytes);
  // The script has ended: lines without an end count too.
  void finish();

  // After finish(): the last lines, oldest first, whether they were logged or not.
  std::vector<std::string> tail() const;
  // Bytes that the sink was not given.
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Part {
    std::string begun;     // of a line that is not complete
    std::string overflow;  // the end of what was dropped
  };

  Part& part(Stream stream) { return parts_.at(static_cast<std::size_t>(stream)); }
  void drop(Stream stream, std::string_view bytes);
  void line(Stream stream, std::string_view text);
  void remember(std::string_view text);

  const OutputBounds bounds_;
  const Sink sink_;
  std::array<Part, 2> parts_;
  std::size_t logged_ = 0;
  std::uint64_t dropped_ = 0;
  std::deque<std::string> tail_;
};

// For the one line that says why an action failed: ", and last said: a | b".
std::string last_words(const Output& output);

}  // namespace genapp::script
