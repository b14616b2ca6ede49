#include "remote/appserver/session_record.hpp"

#include <boost/json.hpp>
#include <charconv>

namespace genapp::remote {
namespace {

namespace json = boost::json;

SessionRecord record_of(const json::object& object) {
  const auto text = [&object](const char* key) { return std::string(object.at(key).as_string()); };
  SessionRecord record;
  record.manager = text("manager");
  record.certificate = text("certificate");
  record.rule = text("rule");
  record.user = text("user");
  for (const json::value& word : object.at("command").as_array()) {
    record.command.emplace_back(word.as_string());
  }
  record.started = object.at("started").to_number<std::int64_t>();
  return record;
}

}  // namespace

std::string format_session_record(const SessionRecord& record) {
  const json::value value{
      {"manager", record.manager},
      {"certificate", record.certificate},
      {"rule", record.rule},
      {"user", record.user},
      {"command", json::array(record.command.begin(), record.command.end())},
      {"started", record.started},
  };
  return json::serialize(value) + "\n";
}

std::optional<SessionRecord> parse_session_record(std::string_view text) try {
  if (text.ends_with('\n')) text.remove_suffix(1);
  SessionRecord record =
      record_of(json::parse(json::string_view(text.data(), text.size())).as_object());
  if (record.command.empty()) return std::nullopt;
  return record;
} catch (const std::exception&) {
  return std::nullopt;  // half written, or by hand
}

std::string format_session_end(const SessionEnd& end) {
  if (!end) return "unknown\n";
  return (end->signalled ? "signal " : "code ") + std::to_string(end->number) + "\n";
}

std::optional<SessionEnd> parse_session_end(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  if (text == "unknown") return SessionEnd();
  common::Ending ending;
  ending.signalled = text.starts_with("signal ");
  if (!ending.signalled && !text.starts_with("code ")) return std::nullopt;
  const std::string_view number = text.substr(ending.signalled ? 7 : 5);
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), ending.number);
  if (error != std::errc() || end != number.data() + number.size() || ending.number < 0 ||
      ending.number > 255) {
    return std::nullopt;
  }
  return SessionEnd(ending);
}

}  // namespace genapp::remote
