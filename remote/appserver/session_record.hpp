#pragma once

// What an appserver notes of a session for the one after it: the file `session` in the session's
// folder, one line of JSON. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/spawn.hpp"
#include "remote/message.hpp"

namespace genapp::remote {

struct SessionRecord {
  std::string manager{};      // who started it: message.hpp, Start
  std::string certificate{};  // by which name
  std::string rule{};         // [allow.NAME]
  std::string user{};
  std::vector<std::string> command{};
  std::int64_t started = 0;  // seconds since 1970

  friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};

std::string format_session_record(const SessionRecord& record);
std::optional<SessionRecord> parse_session_record(std::string_view text);

// The file `ended`: as the keeper writes it (remote/ended.hpp), or "unknown", which an appserver
// writes where no keeper has lived to see the end.
std::string format_session_end(const SessionEnd& end);
std::optional<SessionEnd> parse_session_end(std::string_view text);

}  // namespace genapp::remote
