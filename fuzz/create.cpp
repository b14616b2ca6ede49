// `genapp create`: what it writes is what was asked for. The input's lines are the arguments.

#include "ctl/create.hpp"

#include <algorithm>

#include "cluster/resource.hpp"
#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

// As execve passes them: ended by their first zero byte.
std::vector<std::string> arguments_in(std::string_view input) {
  std::vector<std::string> arguments = lines_of(input);
  for (std::string& argument : arguments)
    argument.resize(std::min(argument.find('\0'), argument.size()));
  return arguments;
}

ctl::Draft draft_of(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv{"create"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return ctl::parse_create(static_cast<int>(argv.size()), argv.data());
}

void check_usage_error(const common::Error& problem) {
  require_one_line(problem.what());
  require(problem.exit_code() == common::ExitCode::usage, "a wrong command line is a usage error");
}

// The value is the text itself, or what TOML makes of it.
void check_key(const cluster::Resource& resource, const std::string& table,
               const ctl::Draft::Key& key) {
  const common::Setting* setting = resource.file.find(table, key.name);
  require(setting, "every key is written");
  const auto* text = std::get_if<std::string>(&setting->value);
  if (text && *text == key.value) return;
  const auto file = common::TomlFile::parse("", "value = " + key.value + "\n");
  require(file.settings().size() == 1 && file.find("", "value")->value == setting->value,
          "with its value");
}

void check_written(const ctl::Draft& draft) {
  const auto resource = cluster::parse_resource(draft.tag, "lb.toml", ctl::resource_text(draft));
  require(resource.id == draft.id, "the id is the one given");
  require(resource.type == draft.type, "the type is the one given");
  require(resource.info == draft.info, "info is the one given, byte for byte");
  const std::size_t of_remote = (draft.node.empty() ? 0u : 1u) + (draft.command.empty() ? 0u : 1u);
  require(resource.file.settings().size() ==
              3 + of_remote + draft.keys.size() + draft.agent_keys.size(),
          "nothing else is written");
  require(of_remote == 0 || draft.type == "remote", "a node and a command are a remote's");
  if (!draft.node.empty()) {
    require(resource.file.find("remote", "node")->as_string() == draft.node,
            "the node is the one given");
  }
  if (!draft.command.empty()) {
    require(resource.file.find("remote", "command")->as_list() == draft.command,
            "the command is the one given, argument by argument");
  }
  for (const auto& key : draft.keys) check_key(resource, resource.type, key);
  for (const auto& key : draft.agent_keys) check_key(resource, "agent", key);
}

}  // namespace

void check(std::string_view input) {
  try {
    const ctl::Draft draft = draft_of(arguments_in(input));
    ctl::check_draft(draft, nullptr);
    check_written(draft);
  } catch (const common::Error& problem) {
    check_usage_error(problem);
  }
}

}  // namespace genapp::fuzz
