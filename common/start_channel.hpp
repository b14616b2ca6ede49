#pragma once

// What a process that starts another in the background and the started one tell each other, over a
// socket pair. The started one says once how its start went; the starter answers once, that it has
// taken note. End of file means that the other side is gone.

#include <optional>
#include <string>

#include "common/clock.hpp"
#include "common/fd.hpp"

namespace genapp::common {

enum class StartWord : char {
  // The started one's.
  ready = 'R',
  already_running = 'A',
  failed = 'F',  // the text says why
  // The starter's: the start is noted, and the started one may live without it.
  counts = 'C',
};

struct StartMessage {
  StartWord word = StartWord::failed;
  std::string text;  // one line; cut at 2 KiB
};

struct StartChannel {
  Fd ours;
  Fd theirs;

  // Both ends are closed on exec. Throws Error.
  static StartChannel make();
};

// Throws Error; with the text `gone` when nobody is there to hear it.
void send_start_message(int channel, const StartMessage& message, const char* gone);

// Waits until `deadline`. Nothing at end of file and at the deadline. Throws Error.
std::optional<StartMessage> receive_start_message(const Fd& channel, Clock::time_point deadline);

}  // namespace genapp::common
