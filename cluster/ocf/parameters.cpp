#include "cluster/ocf/parameters.hpp"

#include <algorithm>
#include <array>

#include "common/printable.hpp"
#include "common/settings.hpp"

namespace genapp::ocf {
namespace {

using common::Error;
using common::Setting;
using Type = Parameter::Type;

// The keys of [lbhc] that make sense here. Pacemaker starts a resource again by itself and may call
// start twice, so recover and already_running are not among them; escapes goes with reply.
constexpr std::array kLbhcParameters{
    Parameter{"port", Type::text, "", true, false, "port that is probed",
              "The TCP port that the load balancer probes, 1 to 65535."},
    Parameter{
        "reply", Type::text, "", false, false, "what is answered",
        "What a prober is sent, byte for byte; for http the body; for haproxy-agent a line of "
        "HAProxy's words. Empty: with tcp the handshake alone is the answer."},
    Parameter{"escapes", Type::boolean, "", false, false, "reply has C escapes",
              "Whether \\n, \\r, \\xHH and the like in reply are decoded. Default: false."},
    Parameter{"protocol", Type::text, "", false, false, "tcp, http or haproxy-agent",
              "What is spoken on the port: tcp, http or haproxy-agent. Default: tcp."},
    Parameter{"listen", Type::text, "", false, false, "address to listen at",
              "any, ipv4, ipv6 or a numeric address of this host. Default: any."},
    Parameter{"hc_timeout", Type::number, "", false, false, "longest time without a probe",
              "Seconds without a probe after which the monitor says so (see on_no_probe). Default: "
              "30."},
    Parameter{"wait_first_probe", Type::boolean, "false", false, false,
              "start waits for the first probe",
              "Whether start succeeds only once a probe has come, within hc_timeout; the start "
              "operation's timeout must be longer then. Default here: false."},
    Parameter{
        "on_no_probe", Type::text, "warn", false, true, "monitor without probes",
        "What monitor makes of hc_timeout without a probe: fail, warn (a line in the log) or "
        "ignore. With fail, a load balancer that is gone makes every node fail in turn. Default "
        "here: warn."},
    Parameter{
        "allow", Type::list, "", false, false, "sources that count as probes",
        "Addresses, networks and the sets azure and gcp, between spaces or commas. Empty: all."},
    Parameter{"others", Type::text, "", false, false, "what other sources get",
              "answer or refuse. Default: answer."},
    Parameter{"drain", Type::number, "", false, true, "stop drains first",
              "Seconds for which stop turns probes away before it ends the responder; the stop "
              "operation's timeout must be longer. Default: 0."},
    Parameter{
        "lb_profile", Type::text, "", false, true, "load balancer that probes",
        "azure, aws-nlb, gcp, oci or haproxy: start warns when hc_timeout is too short for it."},
    Parameter{
        "lease", Type::number, "auto", false, true, "silent without monitors",
        "Seconds after which the responder ends itself when no recurring monitor has come: the "
        "cluster manager here is dead or frozen, and another node may have taken over. auto: the "
        "monitor operation's interval and timeout together, from the first monitor on. 0: "
        "never; set it before maintenance-mode, in which Pacemaker runs no monitors."},
    Parameter{
        "standby_check", Type::boolean, "", false, true, "the port is closed on the standby",
        "Whether a recurring monitor with role Stopped fails when something answers on the port "
        "though the resource does not run here. Default: false."},
};

constexpr std::array kScriptParameters{
    Parameter{"folder", Type::text, "", false, false, "folder of the scripts",
              "A folder that holds restore, remove and quickCheck. Or name each of them."},
    Parameter{"restore", Type::command, "", false, false, "command that starts",
              "A path, or a list as in TOML: [\"/path/start\", \"argument\"]."},
    Parameter{"remove", Type::command, "", false, false, "command that stops", "As restore."},
    Parameter{"quickcheck", Type::command, "", false, false, "command that checks",
              "As restore. Exit status 0: healthy."},
    Parameter{"info", Type::text, "", false, false, "GENAPP_INFO of the scripts",
              "A free string that the scripts get as GENAPP_INFO."},
    Parameter{
        "restore_timeout", Type::number, "", false, true, "limit of restore",
        "Seconds. Default here: a little less than the start operation's timeout, so that what "
        "was started is ended in order."},
    Parameter{"remove_timeout", Type::number, "", false, true, "limit of remove",
              "Seconds. Default here: a little less than the stop operation's timeout."},
    Parameter{"quickcheck_timeout", Type::number, "", false, true, "limit of quickcheck",
              "Seconds. Default here: a little less than the monitor operation's timeout."},
    Parameter{"kill_after", Type::number, "", false, true, "from TERM to KILL",
              "Seconds that a script which takes too long has from TERM to KILL. Default: 5."},
    Parameter{"user", Type::text, "", false, false, "user of the scripts",
              "A name or a number. Default: root."},
    Parameter{"umask", Type::text, "", false, false, "umask of the scripts", "Octal, as 022."},
    Parameter{"limits", Type::list, "", false, false, "resource limits",
              "NAME=NUMBER between spaces, as nofile=65536."},
    Parameter{"pass_environment", Type::list, "", false, false, "variables to pass on",
              "Names of variables of the cluster manager's environment."},
    Parameter{"home_server", Type::text, "", false, false, "host of CLP_SERVER=HOME",
              "The host on which the scripts get CLP_SERVER=HOME."},
    Parameter{"start", Type::text, "", false, false, "sync or async",
              "sync: restore starts the application and ends. async: restore is the application, "
              "under a supervisor. Default: sync."},
    Parameter{"started_after", Type::number, "", false, false, "async: when it counts as started",
              "Seconds that the command must have run. Default: 1."},
};

std::string_view table_of(Kind kind) { return kind == Kind::lbhc ? "lbhc" : "script"; }

std::string variable(std::string_view name) { return "OCF_RESKEY_" + std::string(name); }

Refusal wrong(std::string_view name, const std::string& why) {
  return Refusal(Code::configured, "parameter " + std::string(name) + ": " + why);
}

std::vector<std::string> split(const std::string& text) {
  static constexpr char kBetween[] = " \t\r\n,";
  std::vector<std::string> words;
  for (std::size_t begin = text.find_first_not_of(kBetween); begin != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBetween, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kBetween, end);
  }
  return words;
}

bool to_bool(std::string_view name, const std::string& text) {
  static constexpr std::array<std::string_view, 4> kTrue{"1", "yes", "true", "on"};
  static constexpr std::array<std::string_view, 4> kFalse{"0", "no", "false", "off"};
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (std::find(kTrue.begin(), kTrue.end(), lower) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), lower) != kFalse.end()) return false;
  throw wrong(name, "is " + common::quoted(text) + ", must be true or false");
}

std::vector<std::string> to_command(std::string_view name, const std::string& text) {
  if (!text.starts_with('[')) return {text};
  try {
    const auto file = common::TomlFile::parse("", "command = " + text);
    if (file.settings().size() != 1) throw Error("");
    return file.settings().front().as_list();
  } catch (const Error&) {
    throw wrong(name, "is " + common::quoted(text) +
                          ", must be a path or a list of strings: [\"/path\", \"argument\"]");
  }
}

Setting to_setting(std::string_view table, const Parameter& parameter, const std::string& text) {
  const std::string key(parameter.name);
  const std::string origin = "parameter " + key;
  switch (parameter.type) {
    case Type::text:
      return {std::string(table), key, text, origin};
    case Type::number:
      return common::number_setting(std::string(table), key, text, origin);
    case Type::boolean:
      return {std::string(table), key, to_bool(parameter.name, text), origin};
    case Type::list:
      return {std::string(table), key, split(text), origin};
    case Type::command:
      return {std::string(table), key, to_command(parameter.name, text), origin};
  }
  throw wrong(parameter.name, "has no type");
}

// These are no keys of the table.
bool is_apart(Kind kind, std::string_view name) {
  return kind == Kind::lbhc ? name == "port" || name == "reply" : name == "info";
}

std::optional<std::string> value_of(const Environment& environment, std::string_view name) {
  auto value = environment(variable(name));
  if (value && value->empty()) value.reset();
  return value;
}

std::string read_info(Kind kind, const Environment& environment) {
  if (kind == Kind::script) return value_of(environment, "info").value_or("");
  const auto port = value_of(environment, "port");
  if (!port) throw wrong("port", "is required: the port that the load balancer probes");
  if (port->size() > 5 || port->find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(*port) < 1 || std::stoi(*port) > 65535) {
    throw wrong("port", "is " + common::quoted(*port) + ", must be 1 to 65535");
  }
  const auto reply = value_of(environment, "reply");
  return reply ? *port + " " + *reply : *port;
}

}  // namespace

std::span<const Parameter> parameters_of(Kind kind) {
  if (kind == Kind::lbhc) return kLbhcParameters;
  return kScriptParameters;
}

Description read_parameters(Kind kind, const Environment& environment,
                            const common::TomlFile* settings) {
  const std::string_view table = table_of(kind);
  Description description;
  description.info = read_info(kind, environment);
  for (const Parameter& parameter : parameters_of(kind)) {
    if (is_apart(kind, parameter.name)) continue;
    const auto value = value_of(environment, parameter.name);
    const bool shared = settings && settings->find(table, parameter.name);
    if (!value && (parameter.preset.empty() || shared)) continue;
    if (parameter.name == "lease" && value.value_or("auto") == "auto") {
      description.lease_from_monitor = true;
      continue;
    }
    try {
      description.file.put(
          to_setting(table, parameter, value.value_or(std::string(parameter.preset))));
    } catch (const Refusal&) {
      throw;
    } catch (const Error& problem) {
      throw Refusal(Code::configured, problem.what());
    }
  }
  return description;
}

}  // namespace genapp::ocf
