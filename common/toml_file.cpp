#include "common/toml_file.hpp"

// toml++ asserts on some wrong input ("[!]") that it would report as an error a few lines further
// on.
#define TOML_ASSERT(expr) static_cast<void>(0)
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
constexpr std::size_t kMostErrorBytes = 2048;

std::string at(const std::string& path, const toml::source_position& where) {
  return path + ":" + std::to_string(where.line);
}

// Where a scan of a TOML text is: outside of everything, in a comment, or in a string that ends
// with `delimiter`.
struct Scan {
  std::size_t at = 0;
  bool comment = false;
  std::string_view delimiter{};
};

std::string_view string_delimiter(std::string_view rest) {
  for (const std::string_view delimiter : {R"(""")", "'''", "\"", "'"}) {
    if (rest.starts_with(delimiter)) return delimiter;
  }
  return {};
}

void step(Scan& scan, std::string_view text) {
  const std::string_view rest = text.substr(scan.at);
  std::size_t taken = 1;
  if (rest[0] == '\n' && scan.delimiter.size() < 2) {
    scan.comment = false;
    scan.delimiter = {};
  } else if (scan.comment) {
    // to the end of the line
  } else if (scan.delimiter.empty()) {
    scan.comment = rest[0] == '#';
    scan.delimiter = string_delimiter(rest);
    taken = std::max<std::size_t>(1, scan.delimiter.size());
  } else if (rest[0] == '\\' && scan.delimiter[0] == '"') {
    taken = 2;
  } else if (rest.starts_with(scan.delimiter)) {
    taken = scan.delimiter.size();
    scan.delimiter = {};
  }
  scan.at += taken;
}

// TOML 1.0 has plain ASCII outside of strings and comments. toml++ 3.3 stumbles over other bytes
// there, so they never reach it.
void refuse_strange_bytes(const std::string& path, std::string_view text) {
  Scan scan;
  while (scan.at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[scan.at]);
    const bool plain =
        (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\r' || byte == '\n';
    if (!plain && !scan.comment && scan.delimiter.empty()) {
      const auto line =
          1 + std::count(text.begin(), text.begin() + static_cast<long>(scan.at), '\n');
      throw Error(path + ":" + std::to_string(line) + ": the byte " +
                  quoted(text.substr(scan.at, 1)) + " is not allowed outside of quotes");
    }
    step(scan, text);
  }
}

Setting make_setting(const std::string& path, const std::string& section, const toml::key& key,
                     const toml::node& node) {
  const auto where = key.source().begin;
  Setting setting{
      section, std::string(key.str()), {}, at(path, where), static_cast<int>(where.line)};
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

toml::table parse_table(const std::string& path, std::string_view text) {
  toml::parse_result result = toml::parse(text);
  if (result) return std::move(result).table();
  throw Error(at(path, result.error().source().begin) + ": " +
              printable(result.error().description()));
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
  return Error(printable(origin + ": " + name() + " " + problem, kMostErrorBytes));
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
  refuse_strange_bytes(path, text);
  const toml::table whole = parse_table(path, text);
  TomlFile file;
  file.path_ = std::move(path);
  for (const auto& [key, node] : whole) {
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
  // toml++ sorts by key; people read from the top.
  std::stable_sort(file.settings_.begin(), file.settings_.end(),
                   [](const Setting& a, const Setting& b) { return a.line < b.line; });
  std::stable_sort(file.sections_.begin(), file.sections_.end(),
                   [](const auto& a, const auto& b) { return a.second < b.second; });
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
