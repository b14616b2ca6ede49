#pragma once

// How an appserver starts a session's keeper (remote/keeper/), and learns what came of it: the
// keeper's command line, and the one line that it says. The ends of both are here, but for the
// reading of the command line (remote/keeper/args.hpp). Pure.
//
//   keeper --dir SESSION_DIR --session ID --parent PID [--uid U --gid G [--groups G,G,…]]
//          [--umask OCTAL] [--limit NAME=N]… [--buffer BYTES] [--stall SECONDS]
//          [--kill-after SECONDS] [--directory DIR] [--leftovers end|leave] -- COMMAND ARG…
//
// Its own environment, all of it, is the command's. It says, on its standard output:
//
//   ready PID START_TICKS      the command runs. From now on the keeper outlives its starter
//   failed ERRNO TEXT          the command could not be executed
//   error TEXT                 anything else
//
// After the last two, and when it ends without a line, nothing runs. The session's folder may be
// gone then, or not: what is left is the caller's to remove.

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/identifier.hpp"
#include "common/spawn.hpp"

namespace genapp::remote {

// What happens to processes that the command has started and that are there when it has ended.
enum class Leftovers { end, leave };

inline constexpr char kKeeperProgram[] = "keeper";  // in libexec/genapp

inline constexpr std::size_t kLeastBuffer = 4 * 1024;
inline constexpr std::size_t kMostBuffer = 64 * 1024 * 1024;
inline constexpr std::chrono::milliseconds kMostStall = std::chrono::hours(1);
inline constexpr std::chrono::milliseconds kMostKillAfter = std::chrono::hours(1);

struct KeeperStart {
  std::string session_dir;  // an absolute path; there already, the caller's, and nobody else writes
  common::Id session{"_"};
  std::vector<std::string> command;            // argv; the first is an absolute path
  std::vector<std::string> environment{};      // "NAME=VALUE"; GENAPP_RUN is set by the keeper
  std::optional<common::Identity> identity{};  // nothing: the keeper's own
  mode_t umask = 022;
  std::vector<common::ResourceLimit> limits{};   // of common/limits.hpp's, soft and hard
  std::string directory = "/";                   // the command's, an absolute path
  std::size_t buffer = 128 * 1024;               // bytes kept of each stream, at most
  std::chrono::milliseconds stall{5'000};        // remote/keeper/pace.hpp
  std::chrono::milliseconds kill_after{10'000};  // after a TERM to the keeper itself
  Leftovers leftovers = Leftovers::end;
};

// What starts the keeper `program`, whose parent, `parent`, is the caller. `out` is where it says
// its line: a pipe's end; its standard error is /dev/null. To be started from the caller's thread
// that lives longest: until it is ready the keeper ends with that one. Throws common::Error when a
// limit is none of common/limits.hpp's.
common::Spawn keeper_spawn(const std::string& program, const KeeperStart& start, pid_t parent,
                           int out);

struct KeeperReady {
  pid_t pid = 0;  // the command's
  std::uint64_t start_ticks = 0;
};
struct KeeperFailed {
  int error = 0;  // errno
  std::string text;
};
struct KeeperProblem {
  std::string text;
};
using KeeperAnswer = std::variant<KeeperReady, KeeperFailed, KeeperProblem>;

// A line, its end included, of at most kMostAnswerLine bytes.
inline constexpr std::size_t kMostAnswerLine = 4096;
std::string format_keeper_answer(const KeeperAnswer& answer);
// Nothing when it is none, or not whole.
std::optional<KeeperAnswer> parse_keeper_answer(std::string_view line);

}  // namespace genapp::remote
