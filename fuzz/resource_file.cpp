// A resource file, TAG.toml, as every program reads it.

#include "agent/config.hpp"
#include "cluster/resource.hpp"
#include "fuzz/property.hpp"
#include "lbhc/config.hpp"
#include "lbhc/reply.hpp"
#include "remote/resource/config.hpp"
#include "remote/resource/manager_call.hpp"

namespace genapp::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr char kPath[] = "/etc/genapp/resources.d/lb.toml";

void check_config(const lbhc::Config& config, const cluster::Resource& resource) {
  require(config.port >= 1, "a port is from 1 to 65535");
  require(config.message.size() <= lbhc::kMostMessageBytes, "a message is bounded");
  require(config.hc_timeout >= 10ms && config.hc_timeout <= 24h, "HC_TIMEOUT is within its bounds");
  require(config.drain >= 0s && config.drain <= 1h, "a drain is within its bounds");
  require(!config.listen.empty() && config.listen.find('\0') == std::string::npos,
          "listen can be handed to the system");
  require(lbhc::protocol_text(config.protocol) != "?", "the protocol is one of three");
  const common::Setting* escapes = resource.file.find("lbhc", "escapes");
  require((escapes && escapes->as_bool()) || resource.info.ends_with(config.message),
          "without escapes the message is info's end, byte for byte");
  if (config.protocol == lbhc::Protocol::haproxy_agent) {
    const std::string line = lbhc::greeting(config.protocol, config.message, false);
    require(line.find('\n') == line.size() - 1, "HAProxy's agent answers one line");
  }
}

void check_remote(const cluster::Resource& resource) {
  remote::RemoteConfig config;
  const std::string problem =
      refusal([&] { config = remote::read_remote_config(nullptr, resource.file, resource.id); });
  require(problem.empty() || problem.starts_with(kPath), "an error names its file");
  if (!problem.empty()) return;
  require(common::is_identifier(config.session), "a session is named as an id is");
  require(!config.node.empty() && config.node.front() != '-', "a node is no option");
  require(config.timeout >= 1s && config.timeout <= 1h, "appmgr takes the time-out");
  require(config.kill_after >= 0s && config.kill_after < config.stop_timeout,
          "a KILL has time to come");
  require(config.command.front().starts_with('/'), "a program is an absolute path");
  for (const std::string& argument : remote::start_call(config, config.timeout)) {
    require(argument.find('\0') == std::string::npos, "arguments can be handed to the system");
  }
}

void check_resource(const cluster::Resource& resource) {
  require(resource.type == "lbhc" || resource.type == "script" || resource.type == "remote",
          "the type is one that is known");
  require(common::is_identifier(resource.id.text()), "the id is one");
  if (resource.type == "script") return;  // script_config.cpp
  if (resource.type == "remote") return check_remote(resource);
  lbhc::Config config;
  const std::string problem =
      refusal([&] { config = lbhc::read_config(nullptr, resource.file, resource.info); });
  require(problem.empty() || problem.starts_with(kPath), "an error names its file");
  if (problem.empty()) check_config(config, resource);
}

void check_program(const agent::Argv& argv) {
  require(argv.empty() || argv.front().starts_with('/'), "a program is an absolute path");
  for (const std::string& argument : argv) {
    require(argument.find('\0') == std::string::npos, "arguments can be handed to the system");
  }
}

void check_monitor(const agent::MonitorConfig& monitor) {
  require(!monitor.name.empty() && monitor.name.size() <= 64, "a monitor's name is bounded");
  require(monitor.monitor_interval >= 10ms && monitor.monitor_interval <= 24h,
          "a monitor's interval is within its bounds");
  require(!monitor.at_startup() || monitor.stabilization_interval >= 10ms,
          "at the start there is time to ask");
  require(
      monitor.restart_interval >= static_cast<std::int64_t>(monitor.restart_count) *
                                      (monitor.stabilization_interval + monitor.monitor_interval),
      "restarts can add up");
  require(monitor.hung_signal >= 1 && monitor.hung_signal <= 64, "a signal is one");
  require((monitor.kind == agent::MonitorKind::custom) != monitor.command.empty(),
          "a custom monitor has a command, and no other has");
  require((monitor.kind == agent::MonitorKind::process) != monitor.process.names.empty(),
          "a process monitor has names, and no other has");
  require(monitor.http.server.port != 0 && monitor.smtp.server.port != 0, "a server has a port");
  for (const agent::Argv& argv :
       {monitor.command, monitor.notify, monitor.cleanup, monitor.restart}) {
    check_program(argv);
  }
}

// As the agent reads it, with the file for its genapp.toml too.
void check_agent(const cluster::Resource& resource, std::string_view text) {
  // The fuzzer reads no files of this machine's.
  if (text.find("user_file") != std::string_view::npos) return;
  agent::AgentConfig own;
  const std::string wrong = refusal([&] { own = agent::read_agent_config(&resource.file); });
  require(wrong.empty() || wrong.starts_with(kPath), "an error names its file");
  std::vector<agent::ResourceConfig> configs;
  const std::string problem =
      refusal([&] { configs.push_back(agent::read_resource_config(&resource.file, resource)); });
  require(problem.empty() || problem.starts_with(kPath), "an error names its file");
  if (!problem.empty()) return;
  for (const agent::MonitorConfig& monitor : configs[0].monitors) check_monitor(monitor);
  check_program(configs[0].on_fallover);
  const bool alone = configs[0].depends_on.empty();
  require(refusal([&] { agent::require_sound_dependencies(configs); }).empty() == alone,
          "the only resource depends on nobody");
}

// What an editor adds at the end changes nothing.
void check_longer(const cluster::Resource& resource, std::string_view text) {
  const auto longer = cluster::parse_resource(resource.tag, kPath, std::string(text) + "\n# end\n");
  require(longer.info == resource.info && longer.id == resource.id &&
              longer.file.settings().size() == resource.file.settings().size(),
          "a remark at the end changes nothing");
}

}  // namespace

void check(std::string_view input) {
  std::optional<cluster::Resource> resource;
  const std::string problem =
      refusal([&] { resource.emplace(cluster::parse_resource(common::Tag("lb"), kPath, input)); });
  require(problem.empty() || problem.starts_with(kPath), "an error names its file");
  if (!resource) return;
  check_resource(*resource);
  check_agent(*resource, input);
  check_longer(*resource, input);
}

}  // namespace genapp::fuzz
