#include "lbhc/config.hpp"

#include <algorithm>
#include <array>

#include "common/error.hpp"
#include "common/listener.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"
#include "lbhc/control_request.hpp"

namespace genapp::lbhc {
namespace {

using common::Error;
using common::Setting;

constexpr char kTable[] = "lbhc";
constexpr double kLeastTimeout = 0.01;  // seconds
constexpr double kMostTimeout = 86400;
constexpr double kMostDrain = 3600;
constexpr double kLeastLease = 0.1;
constexpr double kMostLeaseSeconds = kMostLease.count();

struct Key {
  std::string_view name;
  void (*apply)(const Setting&, Config&);
};

void apply_hc_timeout(const Setting& setting, Config& config) {
  config.hc_timeout = common::as_seconds(setting, kLeastTimeout, kMostTimeout);
}

void apply_protocol(const Setting& setting, Config& config) {
  config.protocol = static_cast<Protocol>(setting.as_word({"tcp", "http", "haproxy-agent"}));
}

void apply_listen(const Setting& setting, Config& config) {
  config.listen = common::as_listen(setting);
}

void apply_wait_first_probe(const Setting& setting, Config& config) {
  config.wait_first_probe = setting.as_bool();
}

void apply_already_running(const Setting& setting, Config& config) {
  config.already_running = static_cast<AlreadyRunning>(setting.as_word({"fail", "ok"}));
}

void apply_on_no_probe(const Setting& setting, Config& config) {
  config.on_no_probe = static_cast<OnNoProbe>(setting.as_word({"fail", "warn", "ignore"}));
}

void apply_recover(const Setting& setting, Config& config) {
  config.recover = static_cast<Recover>(setting.as_word({"restart", "none"}));
}

void apply_allow(const Setting& setting, Config& config) {
  config.allow = SourceFilter();
  for (const std::string& entry : setting.as_list()) {
    try {
      config.allow.allow(entry);
    } catch (const Error& problem) {
      throw setting.error(std::string("has a wrong entry: ") + problem.what());
    }
  }
}

void apply_others(const Setting& setting, Config& config) {
  config.others = static_cast<Others>(setting.as_word({"answer", "refuse"}));
}

void apply_drain(const Setting& setting, Config& config) {
  config.drain = common::as_seconds(setting, 0, kMostDrain);
}

void apply_lease(const Setting& setting, Config& config) {
  const auto lease = common::as_seconds(setting, 0, kMostLeaseSeconds);
  if (lease > common::Clock::duration::zero()) {
    common::as_seconds(setting, kLeastLease, kMostLeaseSeconds);
  }
  config.lease = lease;
}

void apply_standby_check(const Setting& setting, Config& config) {
  config.standby_check = setting.as_bool();
}

void apply_lb_profile(const Setting& setting, Config& config) {
  config.lb_profile = find_lb_profile(setting.as_string());
  if (!config.lb_profile && !setting.as_string().empty()) {
    throw setting.error("is " + common::quoted(setting.as_string()) +
                        ", must be one of: " + lb_profile_names());
  }
}

void apply_escapes(const Setting& setting, Config& config) {
  if (setting.as_bool()) config.message = decode_escapes(config.message);
}

// The one list of [lbhc]'s keys. Order matters to nobody: each key touches its own member.
constexpr std::array kKeys{
    Key{"hc_timeout", apply_hc_timeout},
    Key{"protocol", apply_protocol},
    Key{"listen", apply_listen},
    Key{"wait_first_probe", apply_wait_first_probe},
    Key{"already_running", apply_already_running},
    Key{"on_no_probe", apply_on_no_probe},
    Key{"recover", apply_recover},
    Key{"allow", apply_allow},
    Key{"others", apply_others},
    Key{"drain", apply_drain},
    Key{"lb_profile", apply_lb_profile},
    Key{"escapes", apply_escapes},
    Key{"lease", apply_lease},
    Key{"standby_check", apply_standby_check},
};

void check_keys(const common::TomlFile& file) {
  std::array<std::string_view, kKeys.size()> names;
  std::transform(kKeys.begin(), kKeys.end(), names.begin(),
                 [](const Key& key) { return key.name; });
  file.require_known(kTable, names);
}

bool is_number_followed_by(std::string_view word, std::string_view end) {
  if (word.size() <= end.size() || !word.ends_with(end)) return false;
  word.remove_suffix(end.size());
  return word.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_agent_word(std::string_view word) {
  static constexpr std::array<std::string_view, 7> kWords{"up",    "down",  "fail", "stopped",
                                                          "ready", "drain", "maint"};
  constexpr std::string_view kMaxConn = "maxconn:";
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end() ||
         is_number_followed_by(word, "%") ||
         (word.starts_with(kMaxConn) && is_number_followed_by(word.substr(kMaxConn.size()), ""));
}

// Whether an error's text already names the place of one of these settings.
bool begins_with_origin(const std::string& text, const common::TomlFile& file) {
  const auto& all = file.settings();
  return std::any_of(all.begin(), all.end(), [&](const Setting& setting) {
    return text.starts_with(setting.origin + ": ");
  });
}

}  // namespace

std::string_view protocol_text(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "tcp";
    case Protocol::http:
      return "http";
    case Protocol::haproxy_agent:
      return "haproxy-agent";
  }
  return "?";
}

void check_agent_message(std::string_view message) {
  if (message.find_first_of("\r\n") != std::string_view::npos) {
    throw Error("protocol haproxy-agent: the reply message must be one line");
  }
  std::string_view rest = message.substr(0, message.find('#'));  // what follows # is for people
  constexpr std::string_view kBetween = " \t,";
  for (;;) {
    const auto begin = rest.find_first_not_of(kBetween);
    if (begin == std::string_view::npos) return;
    rest.remove_prefix(begin);
    const std::string_view word = rest.substr(0, rest.find_first_of(kBetween));
    if (!is_agent_word(word)) {
      throw Error("protocol haproxy-agent: HAProxy does not know the word " + common::quoted(word) +
                  " of the reply message; it knows up, down, fail, stopped, ready, drain, maint, "
                  "N%, maxconn:N and # followed by a remark");
    }
    rest.remove_prefix(word.size());
  }
}

Config read_config(const common::TomlFile* settings, const common::TomlFile& resource,
                   const std::string& info_text) {
  if (settings) check_keys(*settings);
  check_keys(resource);
  Config config;
  const Setting* info_setting = resource.find("", "info");
  try {
    Info info = parse_info(info_text);
    config.port = info.port;
    config.message = std::move(info.message);
    for (const Key& key : kKeys) {
      const Setting* own = resource.find(kTable, key.name);
      const Setting* shared = settings ? settings->find(kTable, key.name) : nullptr;
      if (own || shared) key.apply(own ? *own : *shared, config);
    }
    if (config.protocol == Protocol::haproxy_agent) check_agent_message(config.message);
  } catch (const Error& problem) {
    const std::string text = problem.what();
    if (begins_with_origin(text, resource) || (settings && begins_with_origin(text, *settings))) {
      throw;
    }
    const std::string place = info_setting ? info_setting->origin : resource.path();
    throw Error(place.empty() ? text : place + ": " + text);
  }
  if (const auto timeout = common::number_from_environment("HC_TIMEOUT")) {
    apply_hc_timeout(*timeout, config);
  }
  return config;
}

}  // namespace genapp::lbhc
