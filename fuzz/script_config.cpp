// The table [script] of a resource file. No `folder` of its making is looked into.

#include "script/config.hpp"

#include "cluster/resource.hpp"
#include "fuzz/property.hpp"

namespace genapp::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr char kPath[] = "/etc/genapp/resources.d/web.toml";

bool has_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

void check_command(const script::Command& command, const script::ActionRow& row) {
  require(command.timeout >= 10ms && command.timeout <= 24h, "a time-out is within its bounds");
  const bool needed = row.action == script::Action::restore || row.action == script::Action::remove;
  require(!needed || !command.argv.empty(), "restore and remove are there");
  if (command.argv.empty()) return;
  require(command.argv.front().starts_with('/'), "a program's path is absolute");
  for (const std::string& argument : command.argv) {
    require(!has_nul(argument), "an argument can be handed to the system");
  }
}

void check_config(const script::Config& config) {
  for (const script::ActionRow& row : script::kActions) {
    check_command(config.command(row.action), row);
  }
  require(config.kill_after >= 0s && config.kill_after <= 1h, "kill_after is within its bounds");
  require(!config.umask || *config.umask <= 0777, "a umask is one");
  for (const std::string& name : config.pass_environment) {
    require(!name.empty() && name.find_first_of(std::string_view("=\0", 2)) == std::string::npos,
            "a variable's name is one");
    require(!name.starts_with("GENAPP_"), "genapp's own variables are not passed");
  }
}

}  // namespace

void check(std::string_view input) {
  std::optional<cluster::Resource> resource;
  const std::string unread =
      refusal([&] { resource.emplace(cluster::parse_resource(common::Tag("web"), kPath, input)); });
  if (!resource || resource->file.find("script", "folder")) return;
  script::Config config;
  const std::string problem =
      refusal([&] { config = script::read_config(nullptr, resource->file); });
  require(problem.empty() || problem.starts_with(kPath), "an error names its file");
  if (problem.empty()) check_config(config);
}

}  // namespace genapp::fuzz
