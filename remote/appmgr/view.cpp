#include "remote/appmgr/view.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "common/clock.hpp"
#include "common/printable.hpp"
#include "remote/appmgr/course.hpp"

namespace genapp::remote {
namespace {

namespace json = boost::json;

// What the server says may hold what a terminal would obey.
std::string shown(const std::string& text) { return common::printable_utf8(text, 4096); }

std::string command_line(const SessionView& view) {
  std::string line;
  for (const std::string& word : view.command) {
    const bool plain =
        !word.empty() && word.find_first_of(" \t\n\"'\\$`*?[]|&;<>(){}") == std::string::npos;
    line += (line.empty() ? "" : " ") + (plain ? shown(word) : common::quoted(word, 4096));
  }
  return line;
}

// A time that no clock has is shown as the number that came.
std::string started_at(const SessionView& view) {
  constexpr std::int64_t kMost = 9'000'000'000;
  if (view.started < 0 || view.started > kMost) return std::to_string(view.started);
  return common::utc_text(common::WallClock::time_point(std::chrono::seconds(view.started)));
}

std::string how(const SessionView& view) {
  if (view.state != SessionState::ended) return std::string(name_of(view.state));
  if (!view.end) return "ended: nobody saw how";
  return std::string("ended: ") + (view.end->signalled ? "signal " : "exit code ") +
         std::to_string(view.end->number);
}

json::object object_of(const SessionView& view) {
  json::object object{{"session", view.session},
                      {"state", json::string(name_of(view.state))},
                      {"pid", view.pid},
                      {"command", json::array(view.command.begin(), view.command.end())},
                      {"user", view.user},
                      {"certificate", view.certificate},
                      {"attached", view.attached},
                      {"started", view.started},
                      {"dropped", view.dropped}};
  if (view.state == SessionState::ended) {
    object["end"] = view.end
                        ? json::object{{view.end->signalled ? "signal" : "code", view.end->number}}
                        : json::object{{"unknown", true}};
    object["exit_code"] = exit_code_of(view.end);
  }
  return object;
}

using Row = std::array<std::string, 6>;

std::string table(const std::vector<Row>& rows) {
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      text += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    text += row.back() + "\n";
  }
  return text;
}

}  // namespace

std::string session_text(const SessionView& view) {
  std::string text = "session: " + shown(view.session) + "\nstate: " + how(view) + "\n";
  text += "pid: " + std::to_string(view.pid) + "\ncommand: " + command_line(view) + "\n";
  text += "user: " + shown(view.user) + "\nstarted: " + started_at(view) + " by " +
          shown(view.certificate) + "\n";
  text += std::string("manager: ") + (view.attached ? "attached" : "none") + "\n";
  if (view.dropped > 0) text += "output lost: " + std::to_string(view.dropped) + " bytes\n";
  return text;
}

std::string sessions_table(const std::vector<SessionView>& views) {
  std::vector<Row> rows{{"SESSION", "STATE", "PID", "USER", "MANAGER", "COMMAND"}};
  for (const SessionView& view : views) {
    rows.push_back({shown(view.session), how(view), std::to_string(view.pid), shown(view.user),
                    view.attached ? "attached" : "none", command_line(view)});
  }
  return table(rows);
}

std::string session_json(const SessionView& view) {
  return json::serialize(object_of(view)) + "\n";
}

std::string sessions_json(const std::vector<SessionView>& views) {
  json::array list;
  for (const SessionView& view : views) list.push_back(object_of(view));
  return json::serialize(list) + "\n";
}

std::string unknown_session_json(const std::string& session) {
  return json::serialize(json::object{{"session", session}, {"state", "unknown"}}) + "\n";
}

}  // namespace genapp::remote
