#include "ctl/create.hpp"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <optional>

#include "agent/config.hpp"
#include "cluster/kind.hpp"
#include "cluster/registry.hpp"
#include "cluster/resource.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "common/settings.hpp"
#include "ctl/agent_client.hpp"
#include "ctl/commands.hpp"
#include "ctl/options.hpp"
#include "ctl/output.hpp"
#include "lbhc/config.hpp"
#include "remote/resource/config.hpp"
#include "script/config.hpp"

namespace genapp::ctl {
namespace {

namespace po = boost::program_options;
using common::Error;
using common::ExitCode;
using common::TomlFile;

bool is_script(const Draft& draft) { return draft.type == cluster::kScript; }
bool is_remote(const Draft& draft) { return draft.type == cluster::kRemote; }

bool is_bare_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

constexpr char kSet[] = "--set";
constexpr char kAgent[] = "--agent";
constexpr char kNode[] = "--node";
constexpr char kCommand[] = "the command after --";

Draft::Key parse_key(const std::string& option, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || !is_bare_key(std::string_view(text).substr(0, equals))) {
    throw Error(option + " " + common::quoted(text) + " must be KEY=VALUE", ExitCode::usage);
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<Draft::Key> parse_keys(const po::variables_map& found, const std::string& option) {
  std::vector<Draft::Key> keys;
  const std::string name = option.substr(2);
  if (found.count(name) == 0) return keys;
  for (const auto& text : found[name].as<std::vector<std::string>>()) {
    keys.push_back(parse_key(option, text));
  }
  return keys;
}

// A line of the file and the option that it comes from.
struct Line {
  std::string text;
  std::string option{};
};

void add_keys(std::vector<Line>& lines, const std::string& option,
              const std::vector<Draft::Key>& keys) {
  for (const Draft::Key& key : keys) {
    lines.push_back({key.name + " = " + toml_value(key.value),
                     option + " " + common::quoted(key.name + "=" + key.value)});
  }
}

void add_table(std::vector<Line>& lines, const std::string& table, const std::vector<Line>& keys) {
  if (keys.empty()) return;
  lines.push_back({"[" + table + "]"});
  lines.insert(lines.end(), keys.begin(), keys.end());
}

std::string toml_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) {
    list += (list.empty() ? "" : ", ") + common::toml_quoted(text);
  }
  return "[" + list + "]";
}

// A wrong type is told by its own line, not by that of its table.
std::string table_name(const Draft& draft) {
  return is_script(draft) || is_remote(draft) ? draft.type : std::string(cluster::kLbhc);
}

std::vector<Line> lines_of(const Draft& draft) {
  std::vector<Line> lines{{"type = " + common::toml_quoted(draft.type), "--type"},
                          {"id = " + common::toml_quoted(draft.id.text()), "--id"},
                          {"info = " + common::toml_quoted(draft.info), "--info"}};
  std::vector<Line> keys;
  if (!draft.node.empty()) keys.push_back({"node = " + common::toml_quoted(draft.node), kNode});
  if (!draft.command.empty()) keys.push_back({"command = " + toml_list(draft.command), kCommand});
  add_keys(keys, kSet, draft.keys);
  add_table(lines, table_name(draft), keys);
  std::vector<Line> agent_keys;
  add_keys(agent_keys, kAgent, draft.agent_keys);
  add_table(lines, "agent", agent_keys);
  return lines;
}

std::string option_of_line(const Draft& draft, std::size_t line) {
  const std::vector<Line> lines = lines_of(draft);
  return line == 0 || line > lines.size() ? "" : lines[line - 1].option;
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
  const char* const* const end = argv + argc;
  const char* const* const dashes = std::find_if(
      argv, end, [](const char* argument) { return std::string_view(argument) == "--"; });
  po::options_description options;
  options.add_options()("tag,t", po::value<std::string>())("id,i", po::value<std::string>())(
      "type", po::value<std::string>()->default_value("lbhc"))("info", po::value<std::string>())(
      "node", po::value<std::string>())("set", po::value<std::vector<std::string>>()->composing())(
      "agent", po::value<std::vector<std::string>>()->composing());
  const po::variables_map found = parse_options(options, "", static_cast<int>(dashes - argv), argv);
  Draft draft{common::Tag(required(found, "tag", "-t TAG")),
              common::Id(required(found, "id", "-i ID")),
              found["type"].as<std::string>(),
              "",
              {}};
  // The others need not have any.
  const bool needs_info = !is_script(draft) && !is_remote(draft);
  if (found.count("info") || needs_info) {
    draft.info = required(found, "info", "--info \"PORT [REPLY MESSAGE]\"");
  }
  if (found.count("node")) draft.node = found["node"].as<std::string>();
  if (dashes != end) draft.command.assign(dashes + 1, end);
  if (dashes != end && draft.command.empty()) {
    throw Error("there is no command after --", ExitCode::usage);
  }
  if (!is_remote(draft) && (found.count("node") || dashes != end)) {
    throw Error("--node and a command after -- are for --type remote", ExitCode::usage);
  }
  if (found.count("node") && draft.node.empty()) throw Error("--node is empty", ExitCode::usage);
  draft.keys = parse_keys(found, kSet);
  draft.agent_keys = parse_keys(found, kAgent);
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
  std::string text;
  for (const Line& line : lines_of(draft)) text += line.text + "\n";
  return text;
}

void check_draft(const Draft& draft, const TomlFile* settings) {
  const std::string path = common::paths::resource_file(draft.tag);
  try {
    const auto resource = cluster::parse_resource(draft.tag, path, resource_text(draft));
    if (is_script(draft)) {
      script::read_config(settings, resource.file);
    } else if (is_remote(draft)) {
      remote::read_remote_config(settings, resource.file, resource.id);
    } else {
      lbhc::read_config(settings, resource.file, resource.info);
    }
    // Not otherwise: what is wrong in genapp.toml for the agent hinders nobody without one.
    if (!draft.agent_keys.empty()) agent::read_resource_config(settings, resource);
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
        "; bring it in service with: restore -t " + tag + " -i " + draft.id.text() + "\n" +
        (agent_runs()
             ? "the agent does not know it yet: genapp reload, then genapp online " + tag + "\n"
             : ""));
  return ExitCode::ok;
}

}  // namespace genapp::ctl
