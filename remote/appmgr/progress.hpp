#pragma once

// How far a command's output has come: what is new, what came twice, what is missing, what to
// confirm, and when all of it is written. Pure.

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/clock.hpp"
#include "remote/output.hpp"

namespace genapp::remote {

class Progress {
 public:
  using Time = common::Clock::time_point;

  // We have seen the command's beginning: every byte before the first that comes is missing.
  // Without this call another manager may have had them.
  void from_the_beginning();
  // A new connection: the other side begins anew at what it knows to be confirmed.
  void connected();

  // A piece has come. The part of it that is to be written: nothing of what came before.
  OutputChunk take(const OutputChunk& chunk, Time now);
  // All before this offset is written, or thrown away.
  void wrote(Output stream, std::uint64_t offset);
  // The other side has told how long the streams are.
  void ended(const Offsets& lengths, Time now);

  // What to confirm now, if anything. What is confirmed counts as that.
  std::optional<Offsets> confirm(Time now);
  // When to ask again; nothing: not before something happens.
  std::optional<Time> confirm_at() const;

  // Everything has come, and is written. Where less has come than there was, it is waited for a
  // while: another manager may have had it.
  bool over(Time now) const;
  std::optional<Time> over_at() const;
  // Bytes that were to come and did not.
  std::uint64_t missing() const;
  // Bytes that came and are not written yet.
  std::uint64_t unwritten(Output stream) const;

 private:
  struct Stream {
    std::optional<std::uint64_t> next{};  // after the last byte that came; nothing: none came
    std::uint64_t here = 0;               // the same, of the present connection
    std::uint64_t written = 0;
    std::uint64_t confirmed = 0;  // on the present connection
    std::uint64_t gaps = 0;
  };
  Stream& of(Output stream) { return stream == Output::out ? out_ : err_; }
  const Stream& of(Output stream) const { return stream == Output::out ? out_ : err_; }
  static std::uint64_t confirmable(const Stream& stream);
  bool all_came() const;
  bool all_written() const;

  Stream out_;
  Stream err_;
  std::optional<Offsets> lengths_;
  Time moved_{};      // the last piece, or the lengths
  Time confirmed_{};  // the last confirmation
};

}  // namespace genapp::remote
