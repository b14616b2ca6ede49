#include "remote/message.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <initializer_list>

#include "common/printable.hpp"

namespace genapp::remote {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostQuotedBytes = 80;
constexpr std::size_t kMostManagerBytes = 64;
constexpr std::int64_t kMostSeconds = 3600;
constexpr std::int64_t kMostRef = std::int64_t{1} << 53;  // what a double holds exactly

constexpr std::array<std::pair<Refusal, std::string_view>, 10> kRefusals{{
    {Refusal::bad_request, "bad-request"},
    {Refusal::denied, "denied"},
    {Refusal::unknown_session, "unknown-session"},
    {Refusal::busy, "busy"},
    {Refusal::other_command, "other-command"},
    {Refusal::could_not_start, "could-not-start"},
    {Refusal::limit, "limit"},
    {Refusal::not_running, "not-running"},
    {Refusal::not_ended, "not-ended"},
    {Refusal::failed, "failed"},
}};

constexpr std::array<std::pair<SessionState, std::string_view>, 3> kStates{{
    {SessionState::starting, "starting"},
    {SessionState::running, "running"},
    {SessionState::ended, "ended"},
}};

template <typename Rows, typename Value>
std::string_view name_in(const Rows& rows, Value value) {
  for (const auto& [row, name] : rows) {
    if (row == value) return name;
  }
  return "?";
}

template <typename Rows>
auto value_in(const Rows& rows, std::string_view name) {
  for (const auto& [row, text] : rows) {
    if (text == name) return std::optional(row);
  }
  return std::optional<typename Rows::value_type::first_type>();
}

// A JSON object of somebody else's: each value is asked for by its key and must be what it should.
class Fields {
 public:
  Fields(const json::object& object, std::uint64_t ref) : object_(object), ref_(ref) {}

  BadMessage error(std::string_view key, const std::string& problem) const {
    return BadMessage(common::quoted(key, kMostQuotedBytes) + ": " + problem, ref_);
  }

  void allow_only(std::initializer_list<std::string_view> keys) const {
    for (const auto& entry : object_) {
      const std::string_view key = entry.key();
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) throw error(key, "unknown");
    }
  }

  const json::value* find(std::string_view key) const { return object_.if_contains(key); }

  const json::value& need(std::string_view key) const {
    const json::value* value = find(key);
    if (!value) throw error(key, "missing");
    return *value;
  }

  std::string text(std::string_view key) const { return text_of(key, need(key)); }
  std::string text_or_empty(std::string_view key) const {
    const json::value* value = find(key);
    return value ? text_of(key, *value) : std::string();
  }

  std::int64_t number(std::string_view key, std::int64_t least, std::int64_t most) const {
    const json::value& value = need(key);
    boost::system::error_code error_code;
    const auto number = value.to_number<std::int64_t>(error_code);
    if (!value.is_number() || error_code || number < least || number > most) {
      throw error(
          key, "not a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return number;
  }

  bool flag(std::string_view key, bool otherwise) const {
    const json::value* value = find(key);
    if (!value) return otherwise;
    if (!value->is_bool()) throw error(key, "neither true nor false");
    return value->get_bool();
  }

  const json::object& object(std::string_view key) const {
    const json::value& value = need(key);
    if (!value.is_object()) throw error(key, "no object");
    return value.get_object();
  }

  const json::array& list(std::string_view key) const {
    const json::value& value = need(key);
    if (!value.is_array()) throw error(key, "no list");
    return value.get_array();
  }

  // Text without a zero byte, which would end an argument before its end.
  std::string text_of(std::string_view key, const json::value& value) const {
    if (!value.is_string()) throw error(key, "no text");
    const std::string_view text = value.get_string();
    if (text.find('\0') != std::string_view::npos) throw error(key, "holds a zero byte");
    return std::string(text);
  }

  std::uint64_t ref() const { return ref_; }

 private:
  const json::object& object_;
  std::uint64_t ref_;
};

json::object parse_object(std::string_view text, std::size_t most) {
  if (text.size() > most) {
    throw BadMessage("longer than " + std::to_string(most) + " bytes", 0);
  }
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 4;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error || !value.is_object()) {
    throw BadMessage("no JSON object: " + common::quoted(text, kMostQuotedBytes), 0);
  }
  return std::move(value.get_object());
}

// Requests.

common::Id session_in(const Fields& fields) {
  const std::string name = fields.text("session");
  if (!common::is_identifier(name)) {
    throw fields.error("session", common::quoted(name, kMostQuotedBytes) +
                                      " is not of the form [A-Za-z0-9_][A-Za-z0-9_.:@-]{0,63}");
  }
  return common::Id(name);
}

std::string manager_in(const Fields& fields) {
  std::string name = fields.text("manager");
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (name.empty() || name.size() > kMostManagerBytes || !printable) {
    throw fields.error("manager", "not 1 to 64 printable characters");
  }
  return name;
}

std::vector<std::string> command_in(const Fields& fields) {
  std::vector<std::string> command;
  for (const json::value& word : fields.list("command")) {
    command.push_back(fields.text_of("command", word));
  }
  if (command.empty()) throw fields.error("command", "empty");
  return command;
}

Environment environment_in(const Fields& fields) {
  Environment environment;
  if (!fields.find("environment")) return environment;
  for (const auto& entry : fields.object("environment")) {
    const std::string_view name = entry.key();
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string_view::npos) {
      throw fields.error("environment",
                         common::quoted(name, kMostQuotedBytes) + " can be no variable's name");
    }
    environment.emplace_back(name, fields.text_of("environment", entry.value()));
  }
  return environment;
}

int seconds_in(const Fields& fields, std::string_view key, std::int64_t least, int otherwise) {
  if (!fields.find(key)) return otherwise;
  return static_cast<int>(fields.number(key, least, kMostSeconds));
}

std::uint64_t offset_in(const Fields& fields, std::string_view key) {
  return static_cast<std::uint64_t>(fields.number(key, 0, INT64_MAX));
}

Request start_of(const Fields& fields) {
  fields.allow_only(
      {"do", "ref", "session", "manager", "command", "environment", "attach", "timeout"});
  Start start;
  start.session = session_in(fields);
  start.manager = manager_in(fields);
  start.command = command_in(fields);
  start.environment = environment_in(fields);
  start.attach = fields.flag("attach", true);
  start.timeout_s = seconds_in(fields, "timeout", 1, start.timeout_s);
  return start;
}

Request attach_of(const Fields& fields) {
  fields.allow_only({"do", "ref", "session", "manager", "timeout"});
  Attach attach;
  attach.session = session_in(fields);
  attach.manager = manager_in(fields);
  attach.timeout_s = seconds_in(fields, "timeout", 1, attach.timeout_s);
  return attach;
}

Request stop_of(const Fields& fields) {
  fields.allow_only({"do", "ref", "session", "kill_after", "forget"});
  Stop stop;
  stop.session = session_in(fields);
  stop.kill_after_s = seconds_in(fields, "kill_after", 0, stop.kill_after_s);
  stop.forget = fields.flag("forget", false);
  return stop;
}

Request signal_of(const Fields& fields) {
  fields.allow_only({"do", "ref", "session", "signal"});
  return Signal{session_in(fields), fields.text("signal")};
}

template <typename Kind>
Request of_session(const Fields& fields) {
  fields.allow_only({"do", "ref", "session"});
  return Kind{session_in(fields)};
}

Request sessions_of(const Fields& fields) {
  fields.allow_only({"do", "ref"});
  return AskSessions{};
}

Request taken_of(const Fields& fields) {
  fields.allow_only({"do", "stdout", "stderr"});
  return Taken{{offset_in(fields, "stdout"), offset_in(fields, "stderr")}};
}

struct Verb {
  std::string_view name;
  Request (*read)(const Fields&);
};
constexpr std::array kVerbs{
    Verb{"start", start_of},
    Verb{"attach", attach_of},
    Verb{"stop", stop_of},
    Verb{"signal", signal_of},
    Verb{"acknowledge", of_session<Acknowledge>},
    Verb{"session", of_session<AskSession>},
    Verb{"sessions", sessions_of},
    Verb{"taken", taken_of},
};
constexpr std::string_view kTaken = "taken";

std::uint64_t ref_in(const json::object& object) {
  return static_cast<std::uint64_t>(Fields(object, 0).number("ref", 1, kMostRef));
}

json::object command_object(std::string_view verb, const common::Id& session) {
  return {{"do", json::string_view(verb.data(), verb.size())}, {"session", session.text()}};
}

json::array words(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

struct RequestFormatter {
  json::object operator()(const Start& start) const {
    json::object object = command_object("start", start.session);
    object["manager"] = start.manager;
    object["command"] = words(start.command);
    if (!start.environment.empty()) {
      json::object& environment = object["environment"].emplace_object();
      for (const auto& [name, value] : start.environment) environment[name] = value;
    }
    object["attach"] = start.attach;
    object["timeout"] = start.timeout_s;
    return object;
  }
  json::object operator()(const Attach& attach) const {
    json::object object = command_object("attach", attach.session);
    object["manager"] = attach.manager;
    object["timeout"] = attach.timeout_s;
    return object;
  }
  json::object operator()(const Stop& stop) const {
    json::object object = command_object("stop", stop.session);
    object["kill_after"] = stop.kill_after_s;
    object["forget"] = stop.forget;
    return object;
  }
  json::object operator()(const Signal& signal) const {
    json::object object = command_object("signal", signal.session);
    object["signal"] = signal.signal;
    return object;
  }
  json::object operator()(const Acknowledge& acknowledge) const {
    return command_object("acknowledge", acknowledge.session);
  }
  json::object operator()(const AskSession& ask) const {
    return command_object("session", ask.session);
  }
  json::object operator()(const AskSessions&) const { return {{"do", "sessions"}}; }
  json::object operator()(const Taken& taken) const {
    return {{"do", "taken"}, {"stdout", taken.offsets.out}, {"stderr", taken.offsets.err}};
  }
};

// Answers.

json::value end_value(const SessionEnd& end) {
  if (!end) return json::object{{"unknown", true}};
  return json::object{{end->signalled ? "signal" : "code", end->number}};
}

SessionEnd end_of(const Fields& fields) {
  const json::object& object = fields.object("end");
  const Fields end(object, fields.ref());
  if (end.flag("unknown", false)) return std::nullopt;
  const bool signalled = end.find("signal") != nullptr;
  const auto number = end.number(signalled ? "signal" : "code", 0, 255);
  return common::Ending{signalled, static_cast<int>(number)};
}

json::object view_value(const SessionView& view) {
  json::object object{{"session", view.session},   {"state", json::string(name_of(view.state))},
                      {"pid", view.pid},           {"command", words(view.command)},
                      {"user", view.user},         {"certificate", view.certificate},
                      {"attached", view.attached}, {"started", view.started},
                      {"dropped", view.dropped}};
  if (view.state == SessionState::ended) object["end"] = end_value(view.end);
  return object;
}

SessionView view_of(const json::value& value, std::uint64_t ref) {
  if (!value.is_object()) throw BadMessage("\"session\": no object", ref);
  const Fields fields(value.get_object(), ref);
  SessionView view;
  view.session = fields.text("session");
  const auto state = value_in(kStates, fields.text("state"));
  if (!state) throw fields.error("state", "unknown");
  view.state = *state;
  view.pid = static_cast<pid_t>(fields.number("pid", 0, INT32_MAX));
  view.command = command_in(fields);
  view.user = fields.text("user");
  view.certificate = fields.text("certificate");
  view.attached = fields.flag("attached", false);
  view.started = fields.number("started", INT64_MIN, INT64_MAX);
  view.dropped = static_cast<std::uint64_t>(fields.number("dropped", 0, INT64_MAX));
  if (view.state == SessionState::ended) view.end = end_of(fields);
  return view;
}

struct AnswerFormatter {
  json::object operator()(const Reply& reply) const {
    json::object object{{"ref", reply.ref}, {"ok", !reply.refusal}};
    if (reply.refusal) {
      object["error"] = json::string(name_of(*reply.refusal));
      object["text"] = common::printable_utf8(reply.text);
      return object;
    }
    if (reply.session) {
      object["session"] = view_value(*reply.session);
      object["started"] = reply.started;
      return object;
    }
    json::array& sessions = object["sessions"].emplace_array();
    for (const SessionView& view : reply.sessions) sessions.push_back(view_value(view));
    return object;
  }
  json::object operator()(const Hello& hello) const {
    return {{"event", "hello"},
            {"version", hello.version},
            {"program", hello.program},
            {"certificate", hello.certificate}};
  }
  json::object operator()(const Ended& ended) const {
    return {{"event", "ended"}, {"session", ended.session}, {"end", end_value(ended.end)}};
  }
  json::object operator()(const OutputEnd& end) const {
    return {{"event", "output-end"},
            {"session", end.session},
            {"stdout", end.offsets.out},
            {"stderr", end.offsets.err}};
  }
};

Reply reply_of(const json::object& object) {
  Reply reply;
  reply.ref = static_cast<std::uint64_t>(Fields(object, 0).number("ref", 0, kMostRef));
  const Fields fields(object, reply.ref);
  if (!fields.need("ok").is_bool()) throw fields.error("ok", "neither true nor false");
  if (!fields.flag("ok", false)) {
    // A newer server's reasons are still reasons.
    reply.refusal = value_in(kRefusals, fields.text("error")).value_or(Refusal::failed);
    reply.text = fields.text_or_empty("text");
    return reply;
  }
  if (const json::value* session = fields.find("session")) {
    reply.session = view_of(*session, reply.ref);
    reply.started = fields.flag("started", false);
  } else if (fields.find("sessions")) {
    for (const json::value& view : fields.list("sessions")) {
      reply.sessions.push_back(view_of(view, reply.ref));
    }
  }
  return reply;
}

std::optional<Answer> event_of(const Fields& fields) {
  const std::string event = fields.text("event");
  if (event == "hello") {
    return Hello{static_cast<int>(fields.number("version", 1, INT32_MAX)), fields.text("program"),
                 fields.text("certificate")};
  }
  if (event == "ended") return Ended{fields.text("session"), end_of(fields)};
  if (event == "output-end") {
    return OutputEnd{fields.text("session"),
                     {offset_in(fields, "stdout"), offset_in(fields, "stderr")}};
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Refusal refusal) { return name_in(kRefusals, refusal); }
std::string_view name_of(SessionState state) { return name_in(kStates, state); }

NumberedRequest parse_request(std::string_view text) {
  const json::object object = parse_object(text, kMostMessageBytes);
  const std::string verb = Fields(object, 0).text("do");
  // Known first, so that the refusal of what is wrong bears it.
  const std::uint64_t ref = verb == kTaken ? 0 : ref_in(object);
  const Fields fields(object, ref);
  for (const Verb& known : kVerbs) {
    if (known.name == verb) return {ref, known.read(fields)};
  }
  throw fields.error("do", common::quoted(verb, kMostQuotedBytes) + " is no request");
}

std::string format_request(const NumberedRequest& request) {
  json::object object = std::visit(RequestFormatter(), request.request);
  if (request.ref != 0) object["ref"] = request.ref;
  return json::serialize(object);
}

std::string format_answer(const Answer& answer) {
  return json::serialize(std::visit(AnswerFormatter(), answer));
}

Answer parse_answer(std::string_view text) {
  const json::object object = parse_object(text, kMostAnswerBytes);
  if (!object.contains("event")) return reply_of(object);
  auto event = event_of(Fields(object, 0));
  if (!event) throw Fields(object, 0).error("event", "unknown");
  return *std::move(event);
}

}  // namespace genapp::remote
