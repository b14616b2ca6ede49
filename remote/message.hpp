#pragma once

// The protocol between a manager (appmgr) and an appserver, version 1: docs/remote-protocol.md.
// Text messages are JSON objects. Here they are made and read; nothing else. Pure.

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/error.hpp"
#include "common/identifier.hpp"
#include "common/spawn.hpp"
#include "remote/output.hpp"

namespace genapp::remote {

inline constexpr int kProtocolVersion = 1;
inline constexpr char kSubprotocol[] = "genapp.remote.v1";   // of the WebSocket (RFC 6455, 1.9)
inline constexpr char kTarget[] = "/genapp";                 // what the WebSocket asks for
inline constexpr std::uint16_t kPort = 5315;                 // the original's
inline constexpr std::size_t kMostMessageBytes = 64 * 1024;  // of a manager's
// Of the server's text messages: a list of all its sessions may be long.
inline constexpr std::size_t kMostAnswerBytes = 16 * 1024 * 1024;
// A manager confirms what it has written; the server sends no more than so much beyond that, and no
// more than it keeps, for each stream.
inline constexpr std::size_t kOutputWindow = 1024 * 1024;
// WebSocket close codes of ours (RFC 6455, 7.4.2: 4000 to 4999 are free).
inline constexpr std::uint16_t kCloseReplaced = 4000;  // the same manager came anew

using Environment = std::vector<std::pair<std::string, std::string>>;

// How the command of a session ended. Without a value when nobody could see it: its keeper ended
// before it did.
using SessionEnd = std::optional<common::Ending>;

// Requests.

// Starts the command, unless the session is there already: then it is as Attach, and the command
// must be the same. `manager` is a name that the manager has made up for itself, unique for each of
// its runs: by it a start that is repeated, because its reply was lost, is known.
struct Start {
  common::Id session{"_"};
  std::string manager;               // 1 to 64 printable characters
  std::vector<std::string> command;  // argv
  Environment environment{};
  bool attach = true;
  int timeout_s = 30;  // the manager may be silent for so long; 1 to 3600
};

// From now on this connection gets the session's output, from what no manager has confirmed on, and
// its end.
struct Attach {
  common::Id session{"_"};
  std::string manager;
  int timeout_s = 30;
};

// TERM for the command and what it started; after kill_after_s seconds KILL. The reply comes when
// it has ended. With `forget` the session is acknowledged, too.
struct Stop {
  common::Id session{"_"};
  int kill_after_s = 10;  // 0 to 3600
  bool forget = false;
};

struct Signal {
  common::Id session{"_"};
  std::string signal;  // "HUP"
};

// The end has been taken note of: the session is forgotten.
struct Acknowledge {
  common::Id session{"_"};
};

struct AskSession {
  common::Id session{"_"};
};

struct AskSessions {};

// Of the attached session: what is written up to these offsets. It has no reply.
struct Taken {
  Offsets offsets;
};

using Request =
    std::variant<Start, Attach, Stop, Signal, Acknowledge, AskSession, AskSessions, Taken>;

struct NumberedRequest {
  std::uint64_t ref = 0;  // the reply bears it, too; 0 for Taken, else 1 to 2^53
  Request request;
};

// Why a request was not done.
enum class Refusal {
  bad_request,      // not understood
  denied,           // the policy does not let this certificate do it
  unknown_session,  // there is no such session
  busy,             // another manager is attached to it
  other_command,    // it runs another command
  could_not_start,  // the command could not be executed
  limit,            // too many sessions
  not_running,      // it has ended
  not_ended,        // it still runs
  failed,           // something on the server's side
};
std::string_view name_of(Refusal refusal);  // "unknown-session"

class BadMessage : public common::Error {
 public:
  BadMessage(const std::string& text, std::uint64_t number) : Error(text), ref(number) {}
  std::uint64_t ref;  // 0 when it could not be read
};

// Throws BadMessage saying what is wrong: no JSON object, an unknown key, a value that may not be.
NumberedRequest parse_request(std::string_view text);
std::string format_request(const NumberedRequest& request);

// Answers.

enum class SessionState { starting, running, ended };
std::string_view name_of(SessionState state);

struct SessionView {
  std::string session;
  SessionState state = SessionState::running;
  pid_t pid = 0;
  std::vector<std::string> command{};
  std::string user{};         // whom it runs as
  std::string certificate{};  // who started it
  bool attached = false;
  std::int64_t started = 0;   // seconds since 1970, by the server's wall clock
  std::uint64_t dropped = 0;  // bytes of output, so far
  SessionEnd end{};           // when ended
};

struct Reply {
  std::uint64_t ref = 0;
  std::optional<Refusal> refusal{};
  std::string text{};                    // for people, with a refusal
  std::optional<SessionView> session{};  // of requests for one
  std::vector<SessionView> sessions{};   // of AskSessions
  bool started = false;                  // by this Start
};

// The first message of the server's.
struct Hello {
  int version = kProtocolVersion;
  std::string program;      // "genapp appserver 0.1.0"
  std::string certificate;  // the name that the client is known by
};

// Of the attached session. The output may come on after it.
struct Ended {
  std::string session;
  SessionEnd end;
};

// The output is over; these are the streams' lengths. It comes after Ended.
struct OutputEnd {
  std::string session;
  Offsets offsets;
};

using Answer = std::variant<Reply, Hello, Ended, OutputEnd>;

std::string format_answer(const Answer& answer);
// Unknown keys are passed over. Throws BadMessage.
Answer parse_answer(std::string_view text);

}  // namespace genapp::remote
