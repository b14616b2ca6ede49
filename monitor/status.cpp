#include "monitor/status.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "common/printable.hpp"

namespace genapp::monitor {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostTextBytes = 1000;

// A server's words may be no UTF-8, which JSON must be.
std::string text(const std::string& value) { return common::printable_utf8(value, kMostTextBytes); }

json::object last_object(const LastCheck& last) {
  json::object object{{"ok", last.ok}, {"age_ms", last.age_ms}, {"took_ms", last.took_ms}};
  if (!last.seen.empty()) object["seen"] = text(last.seen);
  if (!last.reason.empty()) object["reason"] = text(last.reason);
  if (last.event) object["event"] = *last.event;
  return object;
}

json::object to_object(const Status& status) {
  json::object object{{"id", status.id},
                      {"command", status.command},
                      {"pid", status.pid},
                      {"state", status.state},
                      {"server", text(status.server)},
                      {"interval_ms", status.interval_ms},
                      {"wait_ms", status.wait_ms},
                      {"retries", status.retries},
                      {"uptime_ms", status.uptime_ms},
                      {"checks", status.checks},
                      {"failed", status.failed},
                      {"skipped", status.skipped},
                      {"dropped", status.dropped},
                      {"pending_failures", status.pending_failures}};
  if (status.last) object["last"] = last_object(*status.last);
  if (const auto& times = status.response) {
    object["response_ms"] = {
        {"min", times->min}, {"p50", times->p50}, {"p99", times->p99}, {"last", times->last}};
  }
  if (status.certificate_days) object["certificate_days"] = *status.certificate_days;
  return object;
}

// Of one that did not tell it itself: what is not known is left out.
json::object silent_object(const Status& status) {
  json::object object{{"id", status.id}};
  if (status.command != "-") object["command"] = status.command;
  if (status.pid != 0) object["pid"] = status.pid;
  object["state"] = status.state;
  return object;
}

// Reading. A key of another kind throws; parse_status catches.

template <typename Number>
void read(const json::object& from, const char* key, Number& into) {
  if (const json::value* value = from.if_contains(key)) into = value->to_number<Number>();
}
void read(const json::object& from, const char* key, double& into) {
  read<double>(from, key, into);
  if (!std::isfinite(into)) throw std::invalid_argument(key);
}
void read(const json::object& from, const char* key, bool& into) {
  if (const json::value* value = from.if_contains(key)) into = value->as_bool();
}
void read(const json::object& from, const char* key, std::string& into) {
  if (const json::value* value = from.if_contains(key)) into = value->as_string().c_str();
}
void read(const json::object& from, const char* key, std::optional<int>& into) {
  if (const json::value* value = from.if_contains(key)) into = value->to_number<int>();
}

LastCheck to_last(const json::object& from) {
  LastCheck last;
  read(from, "ok", last.ok);
  read(from, "age_ms", last.age_ms);
  read(from, "took_ms", last.took_ms);
  read(from, "seen", last.seen);
  read(from, "reason", last.reason);
  read(from, "event", last.event);
  return last;
}

ResponseMs to_response(const json::object& from) {
  ResponseMs times;
  read(from, "min", times.min);
  read(from, "p50", times.p50);
  read(from, "p99", times.p99);
  read(from, "last", times.last);
  return times;
}

Status to_status(const json::object& from) {
  Status status;
  read(from, "id", status.id);
  read(from, "command", status.command);
  read(from, "pid", status.pid);
  read(from, "state", status.state);
  read(from, "server", status.server);
  read(from, "interval_ms", status.interval_ms);
  read(from, "wait_ms", status.wait_ms);
  read(from, "retries", status.retries);
  read(from, "uptime_ms", status.uptime_ms);
  read(from, "checks", status.checks);
  read(from, "failed", status.failed);
  read(from, "skipped", status.skipped);
  read(from, "dropped", status.dropped);
  read(from, "pending_failures", status.pending_failures);
  if (const auto* last = from.if_contains("last")) status.last = to_last(last->as_object());
  if (const auto* times = from.if_contains("response_ms")) {
    status.response = to_response(times->as_object());
  }
  read(from, "certificate_days", status.certificate_days);
  return status;
}

// Text.

std::string number(double value) {
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), value < 10 ? "%.2f" : "%.1f", value);
  return out.data();
}

std::string seconds(std::int64_t milliseconds) {
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%g", static_cast<double>(milliseconds) / 1000);
  return out.data();
}

std::string last_text(const LastCheck& last) {
  const std::string when = seconds(last.age_ms) + " s ago";
  if (last.ok) return "ok, " + when + ", in " + number(last.took_ms) + " ms: " + last.seen;
  return "failed, " + when + ": " + last.reason +
         (last.event ? " (event " + std::to_string(*last.event) + ")" : "");
}

void add_line(std::string& to, const char* key, const std::string& value) {
  std::string head = std::string(key) + ":";
  head.resize(std::max<std::size_t>(head.size() + 1, 14), ' ');
  to += head + text(value) + "\n";
}

using Row = std::array<std::string, 5>;

std::string table_text(const std::vector<Row>& rows) {
  std::array<std::size_t, 5> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    out += row.back() + "\n";
  }
  return out;
}

}  // namespace

std::string format_status(const Status& status) {
  return json::serialize(to_object(status)) + "\n";
}

std::optional<Status> parse_status(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return std::nullopt;
  try {
    Status status = to_status(value.get_object());
    if (status.id.empty() || status.state.empty()) return std::nullopt;
    return status;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::string disp_text(const Status& status) {
  std::string out;
  add_line(out, "id", status.id);
  add_line(out, "command", status.command);
  add_line(out, "pid", std::to_string(status.pid));
  add_line(out, "state", status.state);
  add_line(out, "server", status.server);
  add_line(out, "last", status.last ? last_text(*status.last) : "no check has ended yet");
  add_line(out, "failures",
           std::to_string(status.pending_failures) + " of " + std::to_string(status.retries + 1));
  add_line(out, "checks",
           std::to_string(status.checks) + ", failed " + std::to_string(status.failed) +
               ", skipped " + std::to_string(status.skipped) + ", dropped " +
               std::to_string(status.dropped));
  if (const auto& times = status.response) {
    add_line(out, "response",
             "min " + number(times->min) + " ms, p50 " + number(times->p50) + ", p99 " +
                 number(times->p99) + ", last " + number(times->last));
  }
  if (status.certificate_days) {
    add_line(out, "certificate", std::to_string(*status.certificate_days) + " days left");
  }
  add_line(
      out, "interval",
      seconds(status.interval_ms) + " s, waits " + seconds(status.wait_ms) + " s for an answer");
  add_line(out, "running for", seconds(status.uptime_ms / 1000 * 1000) + " s");
  return out;
}

std::string list_text(const std::vector<Status>& monitors) {
  std::vector<Row> rows{{"ID", "COMMAND", "PID", "STATE", "SERVER"}};
  for (const Status& one : monitors) {
    rows.push_back({text(one.id), text(one.command), one.pid ? std::to_string(one.pid) : "-",
                    text(one.state), one.server.empty() ? "-" : text(one.server)});
  }
  return table_text(rows);
}

std::string list_json(const std::vector<Status>& monitors) {
  json::array array;
  for (const Status& one : monitors) {
    array.push_back(one.server.empty() ? silent_object(one) : to_object(one));
  }
  return json::serialize(array) + "\n";
}

}  // namespace genapp::monitor
