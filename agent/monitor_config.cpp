#include "agent/monitor_config.hpp"

#include <string.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "agent/config_values.hpp"
#include "common/account.hpp"
#include "common/error.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"
#include "monitor/values.hpp"

namespace genapp::agent {
namespace {

using common::Error;
using common::Setting;
namespace values = monitor::values;

constexpr std::string_view kPrefix = "monitor.";
constexpr double kMostRestartInterval = 31536000;  // seconds: a year
constexpr std::size_t kMostNameBytes = 15;         // of a process: TASK_COMM_LEN less its end
constexpr std::size_t kRetriesOfServers = 3;
constexpr int kMostSignal = 64;
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint16_t kSmtpPort = 25;
constexpr std::uint16_t kSmtpsPort = 465;

// A monitor while its keys are read, in the file's order; what depends on several waits for all.
struct Draft {
  MonitorConfig config{};
  bool https = false;
  monitor::TlsSettings tls{};
  const Setting* of_tls = nullptr;  // the first key that only TLS heeds
  const Setting* ca_file = nullptr;
  const Setting* get = nullptr;
  const Setting* stabilization_interval = nullptr;
  const Setting* restart_interval = nullptr;
};

// What names the value in the errors of monitor::values.
std::string what(const Setting& setting) { return setting.origin + ": " + setting.name(); }

// Of every kind.

void apply_kind(const Setting& setting, Draft& draft) {
  draft.config.kind = static_cast<MonitorKind>(
      setting.as_word({"process", "custom", "http", "smtp", "quickcheck"}));
}

void apply_mode(const Setting& setting, Draft& draft) {
  draft.config.mode =
      static_cast<MonitorMode>(setting.as_word({"startup", "long-running", "both"}));
}

void apply_monitor_interval(const Setting& setting, Draft& draft) {
  draft.config.monitor_interval = as_length(setting);
}

void apply_stabilization_interval(const Setting& setting, Draft& draft) {
  draft.config.stabilization_interval = as_length_or_none(setting);
  draft.stabilization_interval = &setting;
}

void apply_restart_count(const Setting& setting, Draft& draft) {
  draft.config.restart_count = as_count(setting);
}

void apply_restart_interval(const Setting& setting, Draft& draft) {
  draft.config.restart_interval = common::as_seconds(setting, 0, kMostRestartInterval);
  draft.restart_interval = &setting;
}

void apply_failure_action(const Setting& setting, Draft& draft) {
  draft.config.failure_action = static_cast<FailureAction>(setting.as_word({"notify", "fallover"}));
}

void apply_notify(const Setting& setting, Draft& draft) {
  draft.config.notify = common::as_argv(setting);
}
void apply_cleanup(const Setting& setting, Draft& draft) {
  draft.config.cleanup = common::as_argv(setting);
}
void apply_restart(const Setting& setting, Draft& draft) {
  draft.config.restart = common::as_argv(setting);
}

void apply_retries(const Setting& setting, Draft& draft) {
  draft.config.retries = as_count(setting);
}

// Of custom and quickcheck.

void apply_command(const Setting& setting, Draft& draft) {
  draft.config.command = common::as_argv(setting);
}

int signal_named(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (int number = 1; number <= kMostSignal; ++number) {
    const char* const known = ::sigabbrev_np(number);
    if (known && name == known) return number;
  }
  return 0;
}

void apply_hung_signal(const Setting& setting, Draft& draft) {
  int number = 0;
  if (const auto* text = std::get_if<std::string>(&setting.value)) {
    number = signal_named(*text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&setting.value)) {
    number = *integer >= 1 && *integer <= kMostSignal ? static_cast<int>(*integer) : 0;
  }
  if (number == 0) throw setting.error("must be a signal: a number from 1 to 64, or as \"TERM\"");
  draft.config.hung_signal = number;
}

// Of process.

void apply_processes(const Setting& setting, Draft& draft) {
  const std::vector<std::string>& names = setting.as_list();
  if (names.empty()) throw setting.error("is empty: name the processes");
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > kMostNameBytes || name.find('\0') != std::string::npos) {
      throw setting.error("has " + common::quoted(name) +
                          ", must be a name of 1 to 15 bytes, as ps -e shows it: Linux keeps no "
                          "more of it");
    }
    if (!seen.insert(name).second) throw setting.error("has " + common::quoted(name) + " twice");
  }
  draft.config.process.names = names;
}

void apply_owner(const Setting& setting, Draft& draft) {
  const auto* number = std::get_if<std::int64_t>(&setting.value);
  const std::string user = number ? std::to_string(*number) : setting.as_string();
  if (user.find(':') != std::string::npos) {
    throw setting.error("is " + common::quoted(user) + ", must be a user alone");
  }
  try {
    draft.config.process.owner = common::find_account(user).identity.user;
  } catch (const Error& problem) {
    throw setting.error(std::string("can't be found: ") + problem.what());
  }
}

void apply_instances(const Setting& setting, Draft& draft) {
  draft.config.process.instances = as_count(setting, 1);
}

void apply_recount_interval(const Setting& setting, Draft& draft) {
  draft.config.process.recount_interval = as_length_or_none(setting);
}

// Of http and smtp.

void apply_check_timeout(const Setting& setting, Draft& draft) {
  draft.config.check_timeout = as_length(setting);
}

void note_tls(const Setting& setting, Draft& draft) {
  if (!draft.of_tls) draft.of_tls = &setting;
}

void apply_insecure(const Setting& setting, Draft& draft) {
  note_tls(setting, draft);
  draft.tls.verify = !setting.as_bool();
}

void apply_cafile(const Setting& setting, Draft& draft) {
  note_tls(setting, draft);
  draft.tls.ca_file = common::as_absolute_path(setting);
  draft.ca_file = &setting;
}

void apply_tls_name(const Setting& setting, Draft& draft) {
  note_tls(setting, draft);
  draft.tls.name = values::tls_name(what(setting), setting.as_string());
}

// Of http: the names of httpmon's options, but for those that a URL holds together.

void apply_url(const Setting& setting, Draft& draft) {
  std::string rest = values::word(what(setting), setting.as_string());
  draft.https = rest.starts_with("https://");
  if (!draft.https && !rest.starts_with("http://")) {
    throw setting.error("is " + common::quoted(rest) + ", must begin with http:// or https://");
  }
  rest.erase(0, rest.find("//") + 2);
  if (rest.find('#') != std::string::npos) {
    throw setting.error("has a #, behind which nothing is sent to a server");
  }
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string authority = rest.substr(0, end);
  if (authority.find('@') != std::string::npos) {
    throw setting.error("holds a user, whom user_file is for");
  }
  monitor::Server server = as_server(setting, authority);
  if (server.port == 0) server.port = draft.https ? kHttpsPort : kHttpPort;
  draft.config.http.server = server;
  const std::string path = rest.substr(end);
  draft.config.http.uri = path.starts_with('/') ? path : "/" + path;
}

void apply_http_version(const Setting& setting, Draft& draft) {
  draft.config.http.version = values::http_version(what(setting), setting.as_string());
}

void apply_get(const Setting& setting, Draft& draft) {
  draft.config.http.get = setting.as_bool();
  draft.get = &setting;
}

void apply_expect_status(const Setting& setting, Draft& draft) {
  draft.config.http.expect_status.clear();
  for (const std::string& text : setting.as_list()) {
    const auto ranges = values::status_list(what(setting), text);
    auto& all = draft.config.http.expect_status;
    all.insert(all.end(), ranges.begin(), ranges.end());
  }
}

void apply_expect_body(const Setting& setting, Draft& draft) {
  draft.config.http.expect_body = values::expected_body(what(setting), setting.as_string());
}

void apply_user_file(const Setting& setting, Draft& draft) {
  draft.config.http.credentials =
      values::credentials_in(what(setting), common::as_absolute_path(setting));
}

void apply_headers(const Setting& setting, Draft& draft) {
  for (const std::string& text : setting.as_list()) {
    draft.config.http.headers.push_back(values::header(what(setting), text));
  }
}

// Of smtp.

void apply_server(const Setting& setting, Draft& draft) {
  draft.config.smtp.server = as_server(setting, setting.as_string());
}

void apply_helo(const Setting& setting, Draft& draft) {
  draft.config.smtp.helo = values::word(what(setting), setting.as_string());
}

void apply_tls(const Setting& setting, Draft& draft) {
  draft.config.smtp.how =
      static_cast<monitor::SmtpSettings::Tls>(setting.as_word({"none", "starttls", "smtps"}));
}

// Which kinds have a key: a bit each.
constexpr unsigned bit(MonitorKind kind) { return 1U << static_cast<unsigned>(kind); }
constexpr unsigned kProcess = bit(MonitorKind::process);
constexpr unsigned kCustom = bit(MonitorKind::custom);
constexpr unsigned kHttp = bit(MonitorKind::http);
constexpr unsigned kSmtp = bit(MonitorKind::smtp);
constexpr unsigned kQuickCheck = bit(MonitorKind::quick_check);
constexpr unsigned kAll = kProcess | kCustom | kHttp | kSmtp | kQuickCheck;

struct Key {
  std::string_view name;
  unsigned kinds;
  void (*apply)(const Setting&, Draft&);
};

// The one list of [monitor.NAME]'s keys. Order matters to nobody: kind is read before the others.
constexpr std::array kKeys{
    Key{"kind", kAll, apply_kind},
    Key{"mode", kAll, apply_mode},
    Key{"monitor_interval", kAll, apply_monitor_interval},
    Key{"stabilization_interval", kAll, apply_stabilization_interval},
    Key{"restart_count", kAll, apply_restart_count},
    Key{"restart_interval", kAll, apply_restart_interval},
    Key{"failure_action", kAll, apply_failure_action},
    Key{"notify", kAll, apply_notify},
    Key{"cleanup", kAll, apply_cleanup},
    Key{"restart", kAll, apply_restart},
    Key{"retries", kAll & ~kProcess, apply_retries},
    Key{"hung_signal", kCustom | kQuickCheck, apply_hung_signal},
    Key{"command", kCustom, apply_command},
    Key{"processes", kProcess, apply_processes},
    Key{"owner", kProcess, apply_owner},
    Key{"instances", kProcess, apply_instances},
    Key{"recount_interval", kProcess, apply_recount_interval},
    Key{"check_timeout", kHttp | kSmtp, apply_check_timeout},
    Key{"insecure", kHttp | kSmtp, apply_insecure},
    Key{"cafile", kHttp | kSmtp, apply_cafile},
    Key{"tls_name", kHttp | kSmtp, apply_tls_name},
    Key{"url", kHttp, apply_url},
    Key{"http_version", kHttp, apply_http_version},
    Key{"get", kHttp, apply_get},
    Key{"expect_status", kHttp, apply_expect_status},
    Key{"expect_body", kHttp, apply_expect_body},
    Key{"user_file", kHttp, apply_user_file},
    Key{"headers", kHttp, apply_headers},
    Key{"server", kSmtp, apply_server},
    Key{"helo", kSmtp, apply_helo},
    Key{"tls", kSmtp, apply_tls},
};

std::string names_for(unsigned kind) {
  std::string names;
  for (const Key& key : kKeys) {
    if (key.kinds & kind) names += (names.empty() ? "" : ", ") + std::string(key.name);
  }
  return names;
}

const Key& known_key(const Setting& setting, MonitorKind kind) {
  const auto* const found = std::ranges::find(kKeys, setting.key, &Key::name);
  if (found == kKeys.end()) {
    throw Error(setting.origin + ": unknown key " + common::quoted(setting.name()) +
                "; known here: " + names_for(bit(kind)));
  }
  if (found->kinds & bit(kind)) return *found;
  throw setting.error("is not for a monitor of its kind; known here: " + names_for(bit(kind)));
}

// What is right or wrong only with all keys together.

// So long in service wipes the restarts away: were it shorter than the restarts take, there would
// never be enough of them (seed 001, and facts).
void finish_restart_interval(Draft& draft) {
  MonitorConfig& config = draft.config;
  const auto least = static_cast<std::int64_t>(config.restart_count) *
                     (config.stabilization_interval + config.monitor_interval);
  if (!draft.restart_interval) {
    config.restart_interval = least + least / 10;
  } else if (config.restart_interval < least) {
    std::array<char, 32> text{};
    const double seconds = std::chrono::duration<double>(least).count();
    const auto end = std::to_chars(text.begin(), text.end(), seconds).ptr;
    throw draft.restart_interval->error(
        "must be at least " + std::string(text.begin(), end) +
        " seconds, restart_count x (stabilization_interval + monitor_interval): its restarts "
        "would never add up");
  }
}

void finish_tls(Draft& draft) {
  MonitorConfig& config = draft.config;
  if (config.kind != MonitorKind::http && config.kind != MonitorKind::smtp) return;
  const bool is_http = config.kind == MonitorKind::http;
  const bool has_tls = is_http ? draft.https : config.smtp.how != monitor::SmtpSettings::Tls::none;
  if (draft.of_tls && !has_tls) {
    throw draft.of_tls->error(is_http ? "means nothing without https://"
                                      : "means nothing without tls = \"starttls\" or \"smtps\"");
  }
  if (draft.ca_file && !draft.tls.verify) {
    throw draft.ca_file->error("means nothing beside insecure");
  }
  if (is_http && has_tls) config.http.tls = draft.tls;
  if (!is_http) config.smtp.tls = draft.tls;
}

void finish_server(Draft& draft) {
  monitor::HttpSettings& http = draft.config.http;
  if (!http.expect_body.empty()) {
    if (draft.get && !http.get) throw draft.get->error("must be true for expect_body");
    http.get = true;
  }
  monitor::SmtpSettings& smtp = draft.config.smtp;
  if (smtp.server.port == 0) {
    smtp.server.port = smtp.how == monitor::SmtpSettings::Tls::from_start ? kSmtpsPort : kSmtpPort;
  }
}

class MonitorReader {
 public:
  MonitorReader(const common::TomlFile& file, const std::string& section, int line)
      : place_(file.path() + ":" + std::to_string(line) + ": "), section_(section) {}

  MonitorConfig read(const std::vector<const Setting*>& settings) const {
    Draft draft;
    draft.config.name = section_.substr(kPrefix.size());
    require_name(draft.config.name);
    apply_kind(required(settings, "kind"), draft);
    if (bit(draft.config.kind) & (kHttp | kSmtp)) draft.config.retries = kRetriesOfServers;
    draft.config.smtp.server.port = 0;  // until it is known whether TLS has another
    for (const Setting* setting : settings) {
      known_key(*setting, draft.config.kind).apply(*setting, draft);
    }
    require_what_its_kind_needs(settings, draft.config.kind);
    require_window(draft);
    finish_restart_interval(draft);
    finish_tls(draft);
    finish_server(draft);
    return draft.config;
  }

 private:
  // Seed 001.
  void require_name(const std::string& name) const {
    const auto good = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (!name.empty() && name.size() <= 64 && std::ranges::all_of(name, good) &&
        !(name[0] >= '0' && name[0] <= '9')) {
      return;
    }
    throw Error(place_ + common::quoted(name) +
                " is no monitor's name: 1 to 64 of A-Z a-z 0-9 _, the first no digit");
  }

  const Setting& required(const std::vector<const Setting*>& settings, std::string_view key) const {
    for (const Setting* setting : settings) {
      if (setting->key == key) return *setting;
    }
    throw Error(place_ + "[" + section_ + "] has no key " + std::string(key));
  }

  void require_what_its_kind_needs(const std::vector<const Setting*>& settings,
                                   MonitorKind kind) const {
    if (kind == MonitorKind::process) required(settings, "processes");
    if (kind == MonitorKind::custom) required(settings, "command");
    if (kind == MonitorKind::http) required(settings, "url");
  }

  // At the start the stabilization interval is the time in which it is asked.
  static void require_window(const Draft& draft) {
    if (draft.config.at_startup() && draft.stabilization_interval) {
      as_length(*draft.stabilization_interval);
    }
  }

  std::string place_;
  const std::string& section_;
};

}  // namespace

std::vector<MonitorConfig> read_monitors(const common::TomlFile& file) {
  Sections sections = by_section(file);
  std::vector<MonitorConfig> monitors;
  for (const auto& [section, line] : file.sections()) {
    if (!section.starts_with(kPrefix)) continue;
    monitors.push_back(MonitorReader(file, section, line).read(sections[section]));
  }
  std::ranges::sort(monitors, {}, &MonitorConfig::name);
  return monitors;
}

}  // namespace genapp::agent
