#pragma once

// What an appserver and a session's keeper tell each other over the keeper's socket. The keeper is
// the command's parent and lives beside it (remote/keeper/), so that the command, its output and
// its exit code outlast the appserver. Pure.
//
// A message is its length in four bytes, the highest first, then so many bytes: output as
// remote/output.hpp has it, whose first byte is 1 or 2, or words separated by blanks. An appserver
// connects, and the keeper says first:
//
//   state PID START_TICKS KEPT_OUT KEPT_ERR DROPPED [code N | signal N] [drained OUT ERR]
//       what runs, or how it ended; from which offsets its output is kept; how many bytes are lost
//
// then, when it happens:
//
//   ended code N | ended signal N
//   drained OUT ERR      the output is over; the streams' lengths. After "ended"
//   lost DROPPED         so many bytes of output are dropped by now, in all
//   sending OUT ERR      the answer to "send": what comes from now on is from these offsets on,
//   which
//                        are higher where what was asked for is not kept any more
//
// The appserver says:
//
//   send OUT ERR         a manager is attached: send output from these offsets on
//   taken OUT ERR        the manager has written so much: it need not be kept. No more than
//                        kOutputWindow beyond it is sent
//   hold                 nobody is attached: send nothing, and drop the oldest when full
//   signal N             to the command's process group
//   stop MILLISECONDS    TERM to it, and after that time KILL to all that the command has started
//   forget               the end is known: take the files away and end. Only after "ended"
//
// One appserver at a time: a new connection takes the place of the last one. While none is there it
// is as after "hold"; but from its start on the command waits for the first manager as for one that
// is attached and slow, so that nothing is lost before its "send". After "hold" it does not.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/clock.hpp"
#include "common/spawn.hpp"
#include "remote/output.hpp"

namespace genapp::remote {

struct KeeperState {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  Offsets kept;
  std::uint64_t dropped = 0;
  std::optional<common::Ending> ended{};
  std::optional<Offsets> drained{};
};
struct KeeperEnded {
  common::Ending ending;
};
struct KeeperDrained {
  Offsets offsets;
};
struct KeeperLost {
  std::uint64_t dropped = 0;
};
struct KeeperSending {
  Offsets from;
};
// The bytes point into the message.
using KeeperWord =
    std::variant<KeeperState, KeeperEnded, KeeperDrained, KeeperLost, KeeperSending, OutputChunk>;

struct LinkSend {
  Offsets from;
};
struct LinkTaken {
  Offsets offsets;
};
struct LinkHold {};
struct LinkSignal {
  int number = 0;
};
struct LinkStop {
  std::chrono::milliseconds kill_after{};
};
struct LinkForget {};
using LinkOrder = std::variant<LinkSend, LinkTaken, LinkHold, LinkSignal, LinkStop, LinkForget>;

// Each as a whole message, its length included. Output is not made here: its bytes go to the
// socket from where they are.
std::string format_keeper_word(const KeeperWord& word);
std::string format_link_order(const LinkOrder& order);
// The length and output_header(), which go before the bytes.
std::string link_output_header(const OutputChunk& chunk);

// `message` without its length. Nothing when it is none.
std::optional<KeeperWord> parse_keeper_word(std::string_view message);
std::optional<LinkOrder> parse_link_order(std::string_view message);

inline constexpr std::size_t kMostLinkBytes = kOutputHeaderBytes + kMostChunkBytes;

// Cuts a stream of bytes into messages.
class LinkReader {
 public:
  void put(std::string_view bytes) { bytes_.append(bytes); }
  // The next message without its length, valid until the next call of either; nothing when it is
  // not whole yet. Throws common::Error on a length of 0 or beyond kMostLinkBytes.
  std::optional<std::string_view> next();

 private:
  std::string bytes_;
  std::size_t used_ = 0;
};

}  // namespace genapp::remote
