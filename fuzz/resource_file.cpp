// A resource file, TAG.toml, as every program reads it.

#include "cluster/resource.hpp"
#include "fuzz/property.hpp"
#include "lbhc/config.hpp"
#include "lbhc/reply.hpp"

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

void check_resource(const cluster::Resource& resource) {
  require(resource.type == "lbhc" || resource.type == "script", "the type is one that is known");
  require(common::is_identifier(resource.id.text()), "the id is one");
  if (resource.type == "script") return;  // script_config.cpp
  lbhc::Config config;
  const std::string problem =
      refusal([&] { config = lbhc::read_config(nullptr, resource.file, resource.info); });
  require(problem.empty() || problem.starts_with(kPath), "an error names its file");
  if (problem.empty()) check_config(config, resource);
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
  check_longer(*resource, input);
}

}  // namespace genapp::fuzz
