#pragma once

// One of the command's two streams: its pipe and what is kept of it. Never blocks.

#include <optional>
#include <string_view>

#include "common/fd.hpp"
#include "remote/keeper/output_ring.hpp"
#include "remote/keeper/pace.hpp"

namespace genapp::remote::keeper {

class Stream {
 public:
  explicit Stream(std::size_t most) : ring_(most) {}

  // Makes the pipe; the end for the command. Throws common::Error.
  common::Fd open();

  const common::Fd& pipe() const { return pipe_; }
  const OutputRing& ring() const { return ring_; }
  bool full() const { return ring_.room() == 0; }

  // Reads what is there, as much as there is room for; with Flow::drop all of it, for which the
  // oldest is dropped. Closes the pipe at its end.
  void read(Flow flow);
  // From now on no more is read than what is in the pipe now: whoever still has the other end would
  // keep a stream from ending.
  void limit_to_what_is_there();
  // There will be no more of it.
  bool over() const { return !pipe_ || left_ == 0u; }
  // Reads what is there and forgets it: for what has outlived the command, and would get a SIGPIPE.
  void discard();

  // Bytes that were dropped without having been sent to whoever is attached, and those that nobody
  // was there for.
  std::uint64_t dropped() const { return dropped_; }

  // What is to be sent next, `most` bytes at most and no more than `window` beyond what was
  // confirmed of what was sent; empty when there is nothing.
  struct Piece {
    std::uint64_t offset = 0;
    std::string_view bytes{};
  };
  Piece next(std::size_t most, std::size_t window) const;
  void sent(const Piece& piece) { sent_ = piece.offset + piece.bytes.size(); }
  // Sends from there on; what is before has been taken.
  void send_from(std::uint64_t offset);
  // What was sent may have been lost.
  void nothing_sent();
  // True when there was something of it.
  bool taken_to(std::uint64_t offset);

 private:
  void read_into_ring(std::size_t most);
  void make_room(std::size_t count);

  common::Fd pipe_;
  OutputRing ring_;
  std::uint64_t sent_ = 0;   // what is before needs not be sent
  std::uint64_t taken_ = 0;  // what is before is confirmed
  std::uint64_t dropped_ = 0;
  std::optional<std::size_t> left_{};
};

}  // namespace genapp::remote::keeper
