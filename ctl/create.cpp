#include "ctl/create.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <optional>

#include "cluster/kind.hpp"
#include "cluster/registry.hpp"
#include "cluster/resource.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"
#include "ctl/commands.hpp"
#include "ctl/options.hpp"
#include "ctl/output.hpp"
#include "lbhc/config.hpp"
#include "script/config.hpp"

namespace genapp::ctl {
namespace {

namespace po = boost::program_options;
using common::Error;
using common::ExitCode;
using common::TomlFile;

// The lines that resource_text() writes before the keys.
constexpr std::size_t kTypeLine = 1;
constexpr std::size_t kIdLine = 2;
constexpr std::size_t kInfoLine = 3;
constexpr std::size_t kFirstKeyLine = 5;

bool is_script(const Draft& draft) { return draft.type == cluster::kScript; }

bool is_bare_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

Draft::Key parse_key(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || !is_bare_key(std::string_view(text).substr(0, equals))) {
    throw Error("--set " + common::quoted(text) + " must be KEY=VALUE", ExitCode::usage);
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::string option_of_line(const Draft& draft, std::size_t line) {
  if (line == kTypeLine) return "--type";
  if (line == kIdLine) return "--id";
  if (line == kInfoLine) return "--info";
  if (line < kFirstKeyLine || line - kFirstKeyLine >= draft.keys.size()) return "";
  const Draft::Key& key = draft.keys[line - kFirstKeyLine];
  return "--set " + common::quoted(key.name + "=" + key.value);
}

// "PATH:3: PROBLEM" as "--info: PROBLEM": the file does not exist, so its lines mean nothing to the
// user. Nothing when the text names another place.
std::optional<std::string> blame_option(const Draft& draft, const std::string& path,
                                        std::string_view text) {
  if (!text.starts_with(path + ":")) return std::nullopt;
  text.remove_prefix(path.size() + 1);
  std::size_t line = 0;
  const char* const end = text.data() + text.size();
  const char* const after = std::from_chars(text.data(), end, line).ptr;
  const std::string option = option_of_line(draft, line);
  std::string_view problem(after, static_cast<std::size_t>(end - after));
  // Of the file as a whole: "PATH: PROBLEM".
  if (line == 0) problem.remove_prefix(std::min(problem.find_first_not_of(' '), problem.size()));
  return common::printable(option.empty() ? problem : option + std::string(problem));
}

}  // namespace

Draft parse_create(int argc, const char* const* argv) {
  po::options_description options;
  options.add_options()("tag,t", po::value<std::string>())("id,i", po::value<std::string>())(
      "type", po::value<std::string>()->default_value("lbhc"))("info", po::value<std::string>())(
      "set", po::value<std::vector<std::string>>()->composing());
  const po::variables_map found = parse_options(options, "", argc, argv);
  Draft draft{common::Tag(required(found, "tag", "-t TAG")),
              common::Id(required(found, "id", "-i ID")),
              found["type"].as<std::string>(),
              "",
              {}};
  // A script need not have any.
  if (found.count("info") || !is_script(draft)) {
    draft.info = required(found, "info", "--info \"PORT [REPLY MESSAGE]\"");
  }
  if (found.count("set")) {
    for (const auto& text : found["set"].as<std::vector<std::string>>()) {
      draft.keys.push_back(parse_key(text));
    }
  }
  return draft;
}

std::string toml_value(const std::string& text) {
  // A line break would begin a second key.
  if (text.find_first_of("\r\n") != std::string::npos) return common::toml_quoted(text);
  try {
    const TomlFile file = TomlFile::parse("", "value = " + text);
    const bool is_value = file.settings().size() == 1 && file.find("", "value");
    return is_value ? text : common::toml_quoted(text);
  } catch (const Error&) {
    return common::toml_quoted(text);
  }
}

std::string resource_text(const Draft& draft) {
  std::string text = "type = " + common::toml_quoted(draft.type) +
                     "\nid = " + common::toml_quoted(draft.id.text()) +
                     "\ninfo = " + common::toml_quoted(draft.info) + "\n";
  // A wrong type is told by its own line, not by that of its table.
  if (!draft.keys.empty()) text += is_script(draft) ? "[script]\n" : "[lbhc]\n";
  for (const Draft::Key& key : draft.keys) text += key.name + " = " + toml_value(key.value) + "\n";
  return text;
}

void check_draft(const Draft& draft, const TomlFile* settings) {
  const std::string path = common::paths::resource_file(draft.tag);
  try {
    const auto resource = cluster::parse_resource(draft.tag, path, resource_text(draft));
    if (is_script(draft)) {
      script::read_config(settings, resource.file);
    } else {
      lbhc::read_config(settings, resource.file, resource.info);
    }
  } catch (const Error& problem) {
    const auto blamed = blame_option(draft, path, problem.what());
    if (!blamed) throw;
    throw Error(*blamed, ExitCode::usage);
  }
}

ExitCode create(int argc, const char* const* argv) {
  const Draft draft = parse_create(argc, argv);
  const common::Settings settings = common::read_settings();
  if (cluster::cluster_kind(settings) == common::ClusterKind::lifekeeper) {
    throw Error(
        "this node's resources are LifeKeeper's: create it there, or set cluster = "
        "\"registry\" in " +
        common::paths::settings_file());
  }
  check_draft(draft, settings.file ? &*settings.file : nullptr);
  cluster::Registry(common::paths::resources_dir()).create(draft.tag, resource_text(draft));
  const std::string tag = draft.tag.text();
  print("created the resource \"" + tag + "\" in " + common::paths::resource_file(draft.tag) +
        "; bring it in service with: restore -t " + tag + " -i " + draft.id.text() + "\n");
  return ExitCode::ok;
}

}  // namespace genapp::ctl
