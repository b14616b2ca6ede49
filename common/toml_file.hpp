#pragma once

// A TOML file flattened into settings that remember where they were written, so that an error can
// name the file and the line. Keys stand at the top, in a table [NAME], or in a table within one,
// [NAME.OTHER], whose section is "NAME.OTHER".

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/error.hpp"

namespace genapp::common {

struct Setting {
  using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

  std::string section;  // "" at the top level
  std::string key;
  Value value;
  std::string origin;  // "/etc/genapp/genapp.toml:12" or "environment variable HC_TIMEOUT"
  int line = 0;        // in its file

  std::string name() const { return section.empty() ? key : section + "." + key; }
  // "ORIGIN: KEY: PROBLEM"
  Error error(const std::string& problem) const;

  // Each throws error() when the value has another type.
  bool as_bool() const;
  double as_number() const;  // TOML integers and floats
  const std::string& as_string() const;
  const std::vector<std::string>& as_list() const;
  // The one of `words` that the value is, by index; the error lists them.
  std::size_t as_word(std::initializer_list<std::string_view> words) const;
};

class TomlFile {
 public:
  // Throws Error "PATH:LINE: …" on a syntax error, on tables of three levels or with a name that
  // would be taken for another's, and on a value of a type that no setting has (dates, lists of
  // anything but strings).
  static TomlFile parse(std::string path, std::string_view text);

  // Nothing when the file does not exist. Throws Error as parse() and when it can't be read.
  static std::optional<TomlFile> read(const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<Setting>& settings() const { return settings_; }
  // Names and lines of the tables in the file's order, empty ones too.
  const std::vector<std::pair<std::string, int>>& sections() const { return sections_; }
  const Setting* find(std::string_view section, std::string_view key) const;

  // Adds a setting that the file does not hold, or takes the place of the one of its name.
  void put(Setting setting);

  // Throws Error naming the line of the first key in `section` that is not one of `known`.
  void require_known(std::string_view section, std::span<const std::string_view> known) const;
  // Throws Error naming the line of the first table that is not one of `known`, of which "NAME.*"
  // stands for every table within NAME.
  void require_known_sections(std::span<const std::string_view> known) const;

 private:
  class Reader;

  std::string path_;
  std::vector<Setting> settings_;  // in the file's order
  std::vector<std::pair<std::string, int>> sections_;
};

// `text` as a TOML basic string, quotes included.
std::string toml_quoted(std::string_view text);

}  // namespace genapp::common
