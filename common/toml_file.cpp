#include "common/toml_file.hpp"

#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>

#include "common/directory.hpp"
#include "common/printable.hpp"

namespace genapp::common {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

std::string at(const std::string& path, const toml::source_position& where) {
  return path + ":" + std::to_string(where.line);
}

Setting make_setting(const std::string& path, const std::string& section, const toml::key& key,
                     const toml::node& node) {
  Setting setting{section, std::string(key.str()), {}, at(path, node.source().begin)};
  if (const auto* text = node.as_string()) {
    setting.value = text->get();
  } else if (const auto* integer = node.as_integer()) {
    setting.value = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    setting.value = number->get();
  } else if (const auto* truth = node.as_boolean()) {
    setting.value = truth->get();
  } else if (const auto* array = node.as_array()) {
    std::vector<std::string> list;
    for (const toml::node& item : *array) {
      const auto* word = item.as_string();
      if (!word) throw setting.error("must be a list of strings");
      list.push_back(word->get());
    }
    setting.value = std::move(list);
  } else {
    throw setting.error("is a date or a table within a table, which no setting is");
  }
  return setting;
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) {
    if (!out.empty()) out += ", ";
    out += word;
  }
  return out;
}

}  // namespace

Error Setting::error(const std::string& problem) const {
  return Error(origin + ": " + name() + " " + problem);
}

bool Setting::as_bool() const {
  if (const auto* found = std::get_if<bool>(&value)) return *found;
  throw error("must be true or false");
}

double Setting::as_number() const {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  throw error("must be a number");
}

const std::string& Setting::as_string() const {
  if (const auto* found = std::get_if<std::string>(&value)) return *found;
  throw error("must be a string in quotes");
}

const std::vector<std::string>& Setting::as_list() const {
  if (const auto* found = std::get_if<std::vector<std::string>>(&value)) return *found;
  throw error("must be a list of strings: [\"...\", \"...\"]");
}

std::size_t Setting::as_word(std::initializer_list<std::string_view> words) const {
  const auto found = std::find(words.begin(), words.end(), as_string());
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  throw error("is " + quoted(as_string()) +
              ", must be one of: " + listed(std::span(words.begin(), words.size())));
}

TomlFile TomlFile::parse(std::string path, std::string_view text) {
  const toml::parse_result result = toml::parse(text);
  if (!result) {
    throw Error(at(path, result.error().source().begin) + ": " +
                std::string(result.error().description()));
  }
  TomlFile file;
  file.path_ = std::move(path);
  for (const auto& [key, node] : result.table()) {
    const std::string name(key.str());
    if (const auto* table = node.as_table()) {
      file.sections_.emplace_back(name, static_cast<int>(key.source().begin.line));
      for (const auto& [inner, value] : *table) {
        file.settings_.push_back(make_setting(file.path_, name, inner, value));
      }
    } else {
      file.settings_.push_back(make_setting(file.path_, "", key, node));
    }
  }
  return file;
}

std::optional<TomlFile> TomlFile::read(const std::string& path) {
  const auto text = read_file(path, kMostBytes);
  if (!text) return std::nullopt;
  return parse(path, *text);
}

const Setting* TomlFile::find(std::string_view section, std::string_view key) const {
  for (const Setting& setting : settings_) {
    if (setting.section == section && setting.key == key) return &setting;
  }
  return nullptr;
}

void TomlFile::require_known(std::string_view section,
                             std::span<const std::string_view> known) const {
  for (const Setting& setting : settings_) {
    if (setting.section != section) continue;
    if (std::find(known.begin(), known.end(), setting.key) != known.end()) continue;
    throw Error(setting.origin + ": unknown key " + quoted(setting.name()) +
                "; known here: " + listed(known));
  }
}

void TomlFile::require_known_sections(std::span<const std::string_view> known) const {
  for (const auto& [name, line] : sections_) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw Error(path_ + ":" + std::to_string(line) + ": unknown table " + quoted(name) +
                "; known here: " + listed(known));
  }
}

std::string toml_quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace genapp::common
