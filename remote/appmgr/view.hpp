#pragma once

// What --status and --list print. Pure.

#include <string>
#include <vector>

#include "remote/message.hpp"

namespace genapp::remote {

// For people: lines "KEY: VALUE".
std::string session_text(const SessionView& view);
// For people: a table with a line for each.
std::string sessions_table(const std::vector<SessionView>& views);

// For programs: one line, with the keys of docs/remote-protocol.md.
std::string session_json(const SessionView& view);
std::string sessions_json(const std::vector<SessionView>& views);  // a list
// Of one that is not there: its state is "unknown".
std::string unknown_session_json(const std::string& session);

}  // namespace genapp::remote
