#include "monitor/options.hpp"

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <charconv>

#include "common/option_problem.hpp"
#include "common/printable.hpp"
#include "monitor/values.hpp"

namespace genapp::monitor {
namespace {

namespace po = boost::program_options;
using common::Clock;
using common::Error;
using common::ExitCode;
using common::quoted;

constexpr double kLeastSeconds = 0.01;
constexpr double kMostSeconds = 10000;  // seed 004
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint16_t kSmtpsPort = 465;

[[noreturn]] void refuse(const std::string& text) { throw Error(text, ExitCode::usage); }

// The options as they were given.
class Given {
 public:
  explicit Given(po::variables_map found) : found_(std::move(found)) {}

  bool has(const char* name) const { return found_.count(name) != 0; }
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

// Values.

Clock::duration seconds(const std::string& option, const std::string& text, double least) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(value >= least && value <= kMostSeconds)) {
    refuse(option + " " + quoted(text) + " is not a number of seconds from " +
           (least > 0 ? "0.01" : "0") + " to 10000");
  }
  return std::chrono::round<Clock::duration>(std::chrono::duration<double>(value));
}

int whole_number(const std::string& option, const std::string& text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    refuse(option + " " + quoted(text) + " is not a whole number from " + std::to_string(least) +
           " to " + std::to_string(most));
  }
  return value;
}

std::string metrics(const std::string& text) {
  if (text.find_first_not_of("0123456789") == std::string::npos) {
    return std::to_string(whole_number("--metrics", text, 1, 65535));
  }
  if (text.find('/') == std::string::npos) {
    refuse("--metrics " + quoted(text) + " is neither a port nor a path with a /");
  }
  return values::one_line("--metrics", text);
}

// The options of each kind of command line.

constexpr std::array kVerbs{std::pair{"once", Verb::once},   std::pair{"stop", Verb::stop},
                            std::pair{"pause", Verb::pause}, std::pair{"resume", Verb::resume},
                            std::pair{"disp", Verb::disp},   std::pair{"del", Verb::del},
                            std::pair{"list", Verb::list}};

void add_switch(po::options_description& options, const char* name) {
  options.add_options()(name, "");
}
void add_value(po::options_description& options, const char* name) {
  options.add_options()(name, po::value<std::string>());
}

po::options_description options_of(Protocol protocol) {
  po::options_description options;
  for (const auto& [name, verb] : kVerbs) add_switch(options, name);
  for (const char* name : {"json", "no-retry-on-timeout", "insecure"}) add_switch(options, name);
  for (const char* name :
       {"server,s", "port,n", "interval,i", "retries,c", "wait,r", "response-wait,t", "rise",
        "initial-delay", "metrics", "cafile", "tls-name", "cert-days", "id", "stop-wait"}) {
    add_value(options, name);
  }
  if (protocol == Protocol::http) {
    add_switch(options, "https");
    for (const char* name : {"http-version,v", "uri,h", "method", "expect-status", "expect-body",
                             "user", "user-file"}) {
      add_value(options, name);
    }
    options.add_options()("header", po::value<std::vector<std::string>>());
  } else {
    for (const char* name : {"starttls", "smtps"}) add_switch(options, name);
    add_value(options, "helo");
  }
  return options;
}

Given parse(Protocol protocol, int argc, const char* const* argv) {
  po::positional_options_description places;
  places.add("id", 1).add("stop-wait", 1);
  // No guessing: "--st" must not mean "--stop".
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  try {
    const auto options = options_of(protocol);
    const auto parsed =
        po::command_line_parser(argc, argv).options(options).positional(places).style(style).run();
    po::variables_map found;
    po::store(parsed, found);
    return Given(std::move(found));
  } catch (const po::too_many_positional_options_error&) {
    refuse("there is an argument too many");
  } catch (const po::error& problem) {
    refuse(common::option_problem(problem, {argv, argv + argc}));
  }
}

Verb verb_of(const Given& given) {
  Verb verb = Verb::start;
  for (const auto& [name, of_name] : kVerbs) {
    if (!given.has(name)) continue;
    if (verb != Verb::start)
      refuse("--" + std::string(name) + " stands beside another such option");
    verb = of_name;
  }
  return verb;
}

bool checks(Verb verb) { return verb == Verb::start || verb == Verb::once; }

// Options that a verb would not heed are errors: who writes them believes that they do something.
void refuse_unheeded(const Given& given, Verb verb) {
  const auto heeded = [&](const std::string& name) {
    if (name == "id") return verb != Verb::list;
    if (name == "stop-wait") return verb == Verb::stop;
    if (name == "json") return checks(verb) || verb == Verb::disp || verb == Verb::list;
    return checks(verb) ||
           std::ranges::any_of(kVerbs, [&](const auto& row) { return row.first == name; });
  };
  for (const auto& [name, value] : given.all()) {
    if (heeded(name)) continue;
    if (name == "id" || name == "stop-wait") refuse("there is an argument too many");
    refuse("--" + name + " means nothing here");
  }
}

// Settings.

TlsSettings tls_settings(const Given& given) {
  TlsSettings tls;
  tls.ca_file = given.text("cafile").value_or("");
  tls.verify = !given.has("insecure");
  if (const auto name = given.text("tls-name")) {
    tls.name = values::tls_name("--tls-name", *name);
  }
  if (!tls.verify && !tls.ca_file.empty()) refuse("--cafile means nothing beside --insecure");
  return tls;
}

void refuse_tls_options(const Given& given, const std::string& without) {
  for (const char* name : {"cafile", "insecure", "tls-name", "cert-days"}) {
    if (given.has(name)) refuse("--" + std::string(name) + " means nothing without " + without);
  }
}

Server server(const Given& given, std::uint16_t port) {
  Server server{"localhost", port};
  if (const auto host = given.text("server")) server.host = values::word("-s", *host);
  if (const auto text = given.text("port")) {
    server.port = static_cast<std::uint16_t>(whole_number("-n", *text, 1, 65535));
  }
  return server;
}

void read_method(const Given& given, HttpSettings& http) {
  if (const auto body = given.text("expect-body")) {
    http.expect_body = values::expected_body("--expect-body", *body);
    http.get = true;
  }
  const auto method = given.text("method");
  if (!method) return;
  if (*method != "HEAD" && *method != "GET") {
    refuse("--method " + quoted(*method) + " is neither HEAD nor GET");
  }
  if (*method == "HEAD" && http.get) refuse("--expect-body needs GET: HEAD has no body");
  http.get = *method == "GET";
}

HttpSettings http_settings(const Given& given) {
  HttpSettings http;
  const bool https = given.has("https");
  http.server = server(given, https ? kHttpsPort : http.server.port);
  if (https) {
    http.tls = tls_settings(given);
  } else {
    refuse_tls_options(given, "--https");
  }
  if (const auto text = given.text("http-version"))
    http.version = values::http_version("-v", *text);
  if (const auto text = given.text("uri")) http.uri = values::request_uri("-h", *text);
  read_method(given, http);
  if (const auto text = given.text("expect-status")) {
    http.expect_status = values::status_list("--expect-status", *text);
  }
  if (given.has("user") && given.has("user-file")) refuse("--user stands beside --user-file");
  if (const auto text = given.text("user")) http.credentials = values::credentials("--user", *text);
  if (const auto path = given.text("user-file")) {
    http.credentials = values::credentials_in("--user-file", *path);
  }
  for (const std::string& text : given.texts("header")) {
    http.headers.push_back(values::header("--header", text));
  }
  return http;
}

SmtpSettings smtp_settings(const Given& given) {
  SmtpSettings smtp;
  if (given.has("starttls") && given.has("smtps")) refuse("--starttls stands beside --smtps");
  if (given.has("starttls")) smtp.how = SmtpSettings::Tls::starttls;
  if (given.has("smtps")) smtp.how = SmtpSettings::Tls::from_start;
  const bool smtps = smtp.how == SmtpSettings::Tls::from_start;
  smtp.server = server(given, smtps ? kSmtpsPort : smtp.server.port);
  if (smtp.how == SmtpSettings::Tls::none) {
    refuse_tls_options(given, "--starttls or --smtps");
  } else {
    smtp.tls = tls_settings(given);
  }
  if (const auto name = given.text("helo")) smtp.helo = values::word("--helo", *name);
  return smtp;
}

Clock::duration wait(const Given& given, Clock::duration otherwise) {
  if (given.has("wait") && given.has("response-wait")) refuse("-t stands beside -r");
  if (const auto text = given.text("wait")) return seconds("-r", *text, kLeastSeconds);
  if (const auto text = given.text("response-wait")) return seconds("-t", *text, kLeastSeconds);
  return otherwise;
}

Settings settings(Protocol protocol, const Given& given) {
  Settings settings;
  settings.protocol = protocol;
  if (protocol == Protocol::http) settings.http = http_settings(given);
  if (protocol == Protocol::smtp) settings.smtp = smtp_settings(given);
  if (const auto text = given.text("interval"))
    settings.interval = seconds("-i", *text, kLeastSeconds);
  settings.wait = wait(given, settings.wait);
  const auto count = [&](const char* name, const char* spelling, std::size_t otherwise) {
    const auto text = given.text(name);
    return text ? static_cast<std::size_t>(whole_number(spelling, *text, 1, 10000)) : otherwise;
  };
  settings.retries = count("retries", "-c", settings.retries);
  settings.rise = count("rise", "--rise", settings.rise);
  settings.retry_on_timeout = !given.has("no-retry-on-timeout");
  if (const auto text = given.text("initial-delay")) {
    settings.initial_delay = seconds("--initial-delay", *text, 0);
  }
  settings.json = given.has("json");
  if (const auto text = given.text("metrics")) settings.metrics = metrics(*text);
  if (const auto text = given.text("cert-days")) {
    settings.certificate_days = whole_number("--cert-days", *text, 0, 10000);
  }
  return settings;
}

std::optional<MonitorId> id(const Given& given, Verb verb) {
  const auto text = given.text("id");
  if (text) return MonitorId(*text);
  if (verb != Verb::once && verb != Verb::list) throw NoIdentifier();
  return std::nullopt;
}

}  // namespace

CommandLine parse_command_line(Protocol protocol, int argc, const char* const* argv) {
  const Given given = parse(protocol, argc, argv);
  CommandLine line;
  line.verb = verb_of(given);
  line.id = id(given, line.verb);
  refuse_unheeded(given, line.verb);
  line.json = given.has("json");
  if (const auto text = given.text("stop-wait")) {
    line.stop_wait = std::chrono::seconds(whole_number("--stop", *text, 1, 10000));
  }
  if (!checks(line.verb)) return line;
  try {
    line.settings = settings(protocol, given);
  } catch (const Error& problem) {
    refuse(problem.what());
  }
  return line;
}

std::string usage_text(Protocol protocol) {
  const std::string name(command_name(protocol));
  const bool http = protocol == Protocol::http;
  std::string text =
      "Usage: " + name + " ID [-s SERVER] [-n PORT] [-i INTERVAL] [-c RETRIES] [-r WAIT]" +
      (http ? " [-v 1.0|1.1] [-h REQUEST-URI]" : "") + " [OPTIONS]\n" +  //
      "       " + name + " ID --stop [WAIT] | --pause | --resume | --disp [--json] | --del\n" +
      "       " + name + " [ID] --once [OPTIONS]\n" +  //
      "       " + name + " --list [--json]\n" +
      "  ID                     letters and digits, unique on this node\n"
      "  -s, --server SERVER    name or address (localhost)\n"
      "  -n, --port PORT        " +
      (http ? "(80; with --https 443)\n" : "(25; with --smtps 465)\n") +
      "  -i, --interval SECONDS between the starts of two checks, 0.01 to 10000 (60)\n"
      "  -c, --retries N        checks after a failed one, 1 to 10000 (3)\n"
      "  -r, --wait SECONDS     for the answer, 0.01 to 10000 (10); also -t, --response-wait\n";
  if (http) {
    text +=
        "  -v, --http-version V   1.0 or 1.1 (1.1)\n"
        "  -h, --uri REQUEST-URI  (/); with another than / a status of 4xx or 5xx is a failure\n"
        "  --method HEAD|GET      GET reads the body, 1 MiB at most (HEAD)\n"
        "  --expect-status LIST   such as 200,301-399\n"
        "  --expect-body TEXT     the body must hold it; implies GET\n"
        "  --user NAME:PASSWORD   Basic authentication; --user-file FILE keeps it out of ps\n"
        "  --user-file FILE       its first line is NAME:PASSWORD\n"
        "  --header 'NAME: VALUE' may be given several times\n"
        "  --https                TLS\n";
  } else {
    text +=
        "  --helo NAME            what to say in EHLO (this host's name)\n"
        "  --starttls             TLS after STARTTLS\n"
        "  --smtps                TLS from the first byte\n";
  }
  text +=
      "  --cafile FILE          certificate authorities, PEM (the system's)\n"
      "  --insecure             do not verify the certificate\n"
      "  --tls-name NAME        the name to verify, and to ask for (SERVER)\n"
      "  --cert-days N          warn when the certificate has fewer days left (14; 0: never)\n"
      "  --rise N               successes in a row that wipe failures away (1)\n"
      "  --no-retry-on-timeout  no answer in time is a failure at once\n"
      "  --initial-delay S      before the first check (0)\n"
      "  --metrics PORT|PATH    for Prometheus: on 127.0.0.1:PORT, or in the file PATH\n"
      "  --json                 events, or what is shown, as JSON\n"
      "  --once                 one check: exit status 0 or 1\n"
      "  --stop [WAIT]          end the monitor; after WAIT seconds (10) by force\n"
      "  --pause, --resume      for the server's maintenance\n"
      "  --disp, --list         what one monitor does, or all of both commands\n"
      "  --del                  remove what a killed monitor left\n"
      "  --help, --version      as the first argument\n"
      "Exit status: 0 stopped in order, or done; 1 could not start or go on, or not healthy;\n"
      "2 the server was judged failed; 64 wrong command line.\n";
  return text;
}

std::string id_for_report(int argc, const char* const* argv) {
  return argc > 1 && is_monitor_id(argv[1]) ? argv[1] : "-";
}

}  // namespace genapp::monitor
