#include "remote/appmgr/options.hpp"

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <charconv>
#include <utility>

#include "common/error.hpp"
#include "common/option_problem.hpp"
#include "common/printable.hpp"

namespace genapp::remote {
namespace {

namespace po = boost::program_options;
using common::Error;
using common::ExitCode;
using common::quoted;

constexpr std::size_t kMostHostBytes = 255;
constexpr std::size_t kMostSignalBytes = 16;
// The original's levels are numbers; what they meant is published nowhere.
constexpr int kMostLevel = 10;

// cmappmgr's options, and ours.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kOriginals{{
    {"-node", "--node"},
    {"-cmappserver_timeout", "--timeout"},
    {"-log_level", "--log-level"},
    {"-host_log_file", "--log-file"},
    {"-help", "--help"},
    {"-version", "--version"},
}};

constexpr std::array<std::pair<std::string_view, Verb>, 7> kVerbs{{
    {"detach", Verb::detach},
    {"attach", Verb::attach},
    {"signal", Verb::signal},
    {"stop", Verb::stop},
    {"status", Verb::status},
    {"list", Verb::list},
    {"acknowledge", Verb::acknowledge},
}};

[[noreturn]] void refuse(const std::string& text) { throw Error(text, ExitCode::usage); }

bool is_word(std::string_view text, std::size_t most) {
  return !text.empty() && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::chrono::seconds seconds(const std::string& option, const std::string& text, int least) {
  const auto value = whole_number<int>(text);
  if (!value || *value < least || *value > kMostTimeoutSeconds) {
    refuse(option + " " + quoted(text) + " is not a whole number of seconds from " +
           std::to_string(least) + " to " + std::to_string(kMostTimeoutSeconds));
  }
  return std::chrono::seconds(*value);
}

common::log::Level log_level(const std::string& text) {
  using common::log::Level;
  constexpr std::array<std::pair<std::string_view, Level>, 4> kLevels{{
      {"error", Level::error},
      {"warn", Level::warn},
      {"info", Level::info},
      {"debug", Level::debug},
  }};
  for (const auto& [name, level] : kLevels) {
    if (text == name) return level;
  }
  const auto number = whole_number<int>(text);
  if (!number || *number < 0 || *number > kMostLevel) {
    refuse("--log-level " + quoted(text) + " is none of error, warn, info, debug, 0 to 10");
  }
  return kLevels[std::min<std::size_t>(static_cast<std::size_t>(*number), 3)].second;
}

// The options as they were given.
class Given {
 public:
  explicit Given(po::variables_map found) : found_(std::move(found)) {}

  bool has(std::string_view name) const { return found_.count(std::string(name)) != 0; }
  std::optional<std::string> text(const char* name) const {
    if (!has(name)) return std::nullopt;
    return found_[name].as<std::string>();
  }
  std::vector<std::string> texts(const char* name) const {
    if (!has(name)) return {};
    return found_[name].as<std::vector<std::string>>();
  }
  const po::variables_map& all() const { return found_; }

 private:
  po::variables_map found_;
};

Given parse(const std::vector<std::string>& arguments) {
  po::options_description options;
  for (const char* name : {"detach", "stop", "status", "list", "acknowledge", "forget", "json"}) {
    options.add_options()(name, "");
  }
  for (const char* name :
       {"node", "session", "timeout", "kill-after", "attach", "signal", "log-file", "log-level",
        "certificate", "key", "authorities", "server-name"}) {
    options.add_options()(name, po::value<std::string>());
  }
  options.add_options()("env", po::value<std::vector<std::string>>());
  // No guessing: "--st" must not mean "--stop".
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    po::variables_map found;
    po::store(po::command_line_parser(arguments).options(options).positional({}).style(style).run(),
              found);
    return Given(std::move(found));
  } catch (const po::too_many_positional_options_error&) {
    refuse("there is an argument too many: the command stands after --");
  } catch (const po::error& problem) {
    refuse(common::option_problem(problem, arguments));
  }
}

Verb verb_of(const Given& given) {
  Verb verb = Verb::run;
  std::string_view first;
  for (const auto& [name, of_name] : kVerbs) {
    if (!given.has(name)) continue;
    if (verb != Verb::run) {
      refuse("--" + std::string(name) + " stands beside --" + std::string(first));
    }
    verb = of_name;
    first = name;
  }
  return verb;
}

bool starts(Verb verb) { return verb == Verb::run || verb == Verb::detach; }

// Options that a verb would not heed are errors: who writes them believes that they do something.
void refuse_unheeded(const Given& given, Verb verb) {
  const auto heeded = [&](std::string_view name) {
    if (name == "session") return verb != Verb::list && verb != Verb::attach;
    if (name == "env") return starts(verb);
    if (name == "kill-after") {
      return verb == Verb::run || verb == Verb::attach || verb == Verb::stop;
    }
    if (name == "forget") return verb == Verb::stop;
    if (name == "json") return verb == Verb::status || verb == Verb::list;
    return true;
  };
  for (const auto& [name, value] : given.all()) {
    if (!heeded(name)) refuse("--" + name + " means nothing here");
  }
}

void read_node(const Given& given, CommandLine& line) {
  const auto node = given.text("node");
  if (!node) refuse("--node HOST is missing: where the appserver is");
  const auto where = parse_host_port(*node);
  if (!where) refuse("--node " + quoted(*node) + " is not of the form HOST or HOST:PORT");
  line.node = *node;
  line.where = *where;
}

void read_session(const Given& given, CommandLine& line) {
  if (line.verb == Verb::list) return;
  const auto name = line.verb == Verb::attach ? given.text("attach") : given.text("session");
  if (!name) {
    refuse(
        "--session ID is missing: by it the command is found again, and never started twice; "
        "choose a name for each application");
  }
  line.session = common::Id(*name);
}

void read_environment(const Given& given, CommandLine& line) {
  for (const std::string& text : given.texts("env")) {
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      refuse("--env " + quoted(text) + " is not of the form NAME=VALUE");
    }
    const std::string name = text.substr(0, equals);
    const bool twice = std::any_of(line.environment.begin(), line.environment.end(),
                                   [&](const auto& one) { return one.first == name; });
    if (twice) refuse("--env " + quoted(name) + " is given twice");
    line.environment.emplace_back(name, text.substr(equals + 1));
  }
}

void read_signal(const Given& given, CommandLine& line) {
  const auto name = given.text("signal");
  if (!name) return;
  if (!is_word(*name, kMostSignalBytes)) refuse("--signal " + quoted(*name) + " is no signal");
  line.signal = *name;
}

// Of a file. Empty would mean the default, which who wrote it did not want.
std::optional<std::string> path(const Given& given, const char* name) {
  auto text = given.text(name);
  if (text && text->empty()) refuse("--" + std::string(name) + " is empty");
  return text;
}

void read_settings(const Given& given, CommandLine& line) {
  if (const auto text = given.text("timeout")) line.timeout = seconds("--timeout", *text, 1);
  if (const auto text = given.text("kill-after"))
    line.kill_after = seconds("--kill-after", *text, 0);
  if (const auto text = given.text("log-level")) line.log_level = log_level(*text);
  line.log_file = path(given, "log-file");
  line.certificate = path(given, "certificate");
  line.key = path(given, "key");
  line.authorities = path(given, "authorities");
  line.server_name = given.text("server-name");
  if (line.server_name && !is_word(*line.server_name, kMostHostBytes)) {
    refuse("--server-name " + quoted(*line.server_name) + " is no name of a host");
  }
}

// What the appserver would not take as a message says so here, before anything is connected: text
// that is no UTF-8, which JSON can't hold, and what is too long.
void require_sendable(const CommandLine& line) {
  Start start;
  start.session = *line.session;
  start.manager = std::string(32, 'x');
  start.command = line.command;
  start.environment = line.environment;
  const std::string message = format_request({1, start});
  if (message.size() > kMostMessageBytes) {
    refuse("the command and its environment are longer than a message may be: " +
           std::to_string(message.size()) + " bytes of " + std::to_string(kMostMessageBytes));
  }
  try {
    parse_request(message);
  } catch (const BadMessage&) {
    refuse("the command or its environment can't be sent: it is no UTF-8");
  }
}

void take_command(std::vector<std::string>::const_iterator begin,
                  std::vector<std::string>::const_iterator end, CommandLine& line) {
  if (!starts(line.verb)) {
    if (begin != end) refuse("a command means nothing here");
    return;
  }
  line.command.assign(begin, end);
  if (line.command.empty()) refuse("the command is missing: it stands after --");
  if (line.command[0].empty() || line.command[0][0] != '/') {
    refuse("the command " + quoted(line.command[0]) +
           " must be the absolute path of a program: there is no shell on the other side");
  }
  require_sendable(line);
}

}  // namespace

std::optional<HostPort> parse_host_port(std::string_view text) {
  if (!is_word(text, kMostHostBytes)) return std::nullopt;
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (text.front() == '[') {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    // With more of them it is an IPv6 address.
    const auto colon = text.find(':');
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (host.empty() || host.find_first_of("[]/") != std::string_view::npos) return std::nullopt;
  HostPort where{std::string(host), std::nullopt};
  if (!has_port) return where;
  where.port = whole_number<std::uint16_t>(port);
  if (!where.port || *where.port == 0) return std::nullopt;
  return where;
}

std::vector<std::string> in_our_spelling(int argc, const char* const* argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  for (std::size_t i = 1; i < arguments.size() && arguments[i] != "--"; ++i) {
    for (const auto& [original, ours] : kOriginals) {
      if (arguments[i] != original) continue;
      arguments[i] = ours;
      break;
    }
  }
  return arguments;
}

CommandLine parse_appmgr_options(int argc, const char* const* argv) {
  const std::vector<std::string> arguments = in_our_spelling(argc, argv);
  const auto begin = arguments.begin() + std::min(argc, 1);
  const auto dashes = std::find(begin, arguments.end(), "--");
  const Given given = parse({begin, dashes});
  CommandLine line;
  line.verb = verb_of(given);
  refuse_unheeded(given, line.verb);
  read_node(given, line);
  read_session(given, line);
  read_environment(given, line);
  read_signal(given, line);
  read_settings(given, line);
  line.forget = given.has("forget");
  line.json = given.has("json");
  take_command(dashes == arguments.end() ? dashes : dashes + 1, arguments.end(), line);
  return line;
}

std::string appmgr_usage() {
  return "Usage: appmgr --node HOST[:PORT] --session ID [OPTIONS] -- COMMAND [ARGUMENT...]\n"
         "       appmgr --node HOST[:PORT] --session ID --detach [OPTIONS] -- COMMAND...\n"
         "       appmgr --node HOST[:PORT] --attach ID\n"
         "       appmgr --node HOST[:PORT] --session ID --signal NAME | --stop [--forget] |\n"
         "              --status [--json] | --acknowledge\n"
         "       appmgr --node HOST[:PORT] --list [--json]\n"
         "  --node HOST[:PORT]     where the appserver is (5315); or a [node.NAME] of appmgr.toml\n"
         "  --session ID           by it the command is found again: "
         "[A-Za-z0-9_][A-Za-z0-9_.:@-]*\n"
         "  --env NAME=VALUE       for the command; may be given several times\n"
         "  --timeout SECONDS      so long the other side may be silent, 1 to 3600 (30)\n"
         "  --kill-after SECONDS   from TERM to KILL, 0 to 3600 (10)\n"
         "  --detach               start it, or find it running, and end\n"
         "  --attach ID            stay with a session that is there\n"
         "  --signal NAME          send a signal to the command\n"
         "  --stop                 end the command; with --forget also forget how it ended\n"
         "  --status, --list       what one session does, or all of them; as JSON with --json\n"
         "  --acknowledge          forget a session that has ended\n"
         "  --log-file FILE        instead of standard error\n"
         "  --log-level LEVEL      error, warn, info, debug, or 0 to 10 (warn; of a file info)\n"
         "  --certificate FILE, --key FILE, --authorities FILE\n"
         "                         (tls/appmgr.crt, appmgr.key, ca.crt in /etc/genapp)\n"
         "  --server-name NAME     what the appserver's certificate must be for (HOST)\n"
         "  --help, --version      as the first argument\n"
         "The original's -node, -cmappserver_timeout, -log_level and -host_log_file are known, "
         "too.\n"
         "On TERM and INT it ends the command; on the second one it leaves at once. HUP: opens "
         "the\n"
         "log file anew. Settings: appmgr.toml(5).\n"
         "Exit status: the command's own; 128 + N: it was ended by signal N; 249 nobody saw how "
         "it\n"
         "ended; 250 unreachable, nothing was started; 251 refused; 252 could not be started; 253\n"
         "the connection was lost, it may still run; 254 the appserver does not know the session;\n"
         "64 wrong command line; 1 failed. With --status 0 runs, 1 ended or unknown.\n";
}

}  // namespace genapp::remote
