#include "common/settings.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "common/paths.hpp"
#include "common/printable.hpp"

namespace genapp::common {
namespace {

constexpr std::array<std::string_view, 4> kKeys{"cluster", "log_file", "log_level", "user"};
constexpr std::array<std::string_view, 8> kSections{
    "lbhc", "script", "remote", "agent", "agent.lbhc", "agent.script", "agent.remote", "group.*"};

std::string plain(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

Settings settings_in(TomlFile file) {
  Settings settings;
  file.require_known("", kKeys);
  file.require_known_sections(kSections);
  if (const Setting* found = file.find("", "cluster")) {
    settings.cluster = found->as_word({"registry", "lifekeeper"}) == 0 ? ClusterKind::registry
                                                                       : ClusterKind::lifekeeper;
  }
  if (const Setting* found = file.find("", "log_file")) {
    settings.log_file = found->as_string();
    if (!settings.log_file.empty() && settings.log_file.front() != '/') {
      throw found->error("must be an absolute path: the daemon works in /");
    }
    if (settings.log_file.find('\0') != std::string::npos) {
      throw found->error("holds a zero byte");
    }
  }
  if (const Setting* found = file.find("", "log_level")) {
    settings.log_level =
        static_cast<log::Level>(found->as_word({"debug", "info", "warn", "error"}));
  }
  if (const Setting* found = file.find("", "user")) {
    settings.user = found->as_string();
    if (settings.user.empty()) throw found->error("is empty: name a user, or leave the key out");
  }
  settings.file = std::move(file);
  return settings;
}

void require_absolute(const Setting& setting, const std::string& path) {
  if (!path.starts_with('/')) {
    throw setting.error("is " + quoted(path) + ", must begin with /");
  }
  if (path.find('\0') != std::string::npos) throw setting.error("holds a NUL byte");
}

}  // namespace

Settings read_settings() {
  auto file = TomlFile::read(paths::settings_file());
  return file ? settings_in(std::move(*file)) : Settings();
}

Settings parse_settings(const std::string& path, std::string_view text) {
  return settings_in(TomlFile::parse(path, text));
}

Clock::duration as_seconds(const Setting& setting, double least, double most) {
  const double seconds = setting.as_number();
  if (!std::isfinite(seconds) || seconds < least || seconds > most) {
    throw setting.error("is " + plain(seconds) + ", must be from " + plain(least) + " to " +
                        plain(most) + " seconds");
  }
  return std::chrono::round<Clock::duration>(std::chrono::duration<double>(seconds));
}

const std::string& as_absolute_path(const Setting& setting) {
  require_absolute(setting, setting.as_string());
  return setting.as_string();
}

const std::vector<std::string>& as_argv(const Setting& setting) {
  const std::vector<std::string>& argv = setting.as_list();
  if (argv.empty()) throw setting.error("is empty: name a program, or leave the key out");
  require_absolute(setting, argv.front());
  for (const std::string& argument : argv) {
    if (argument.find('\0') != std::string::npos) throw setting.error("holds a NUL byte");
  }
  return argv;
}

Setting number_setting(std::string section, std::string key, std::string_view text,
                       std::string origin) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  Setting setting{std::move(section), std::move(key), value, std::move(origin)};
  if (text.empty()) throw setting.error("is set but empty: unset it or give a number");
  if (error != std::errc() || end != text.data() + text.size()) {
    throw setting.error("is " + quoted(text) + ", must be a number");
  }
  return setting;
}

std::optional<Setting> number_from_environment(const char* variable) {
  const char* text = std::getenv(variable);
  if (!text) return std::nullopt;
  return number_setting("", variable, text, "environment variable");
}

}  // namespace genapp::common
