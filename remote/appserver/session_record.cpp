#include "remote/appserver/session_record.hpp"

#include <boost/json.hpp>

#include "remote/ended.hpp"

namespace genapp::remote {
namespace {

namespace json = boost::json;

constexpr char kUnknown[] = "unknown\n";

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
  return end ? format_ended(*end) : kUnknown;
}

std::optional<SessionEnd> parse_session_end(std::string_view text) {
  if (text == kUnknown) return SessionEnd();
  const auto ending = parse_ended(text);
  if (!ending) return std::nullopt;
  return std::optional<SessionEnd>(std::in_place, *ending);
}

}  // namespace genapp::remote
