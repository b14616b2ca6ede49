#include "agent/genapp-agent/resources.hpp"

#include <algorithm>
#include <set>

#include "cluster/registry.hpp"
#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"

namespace genapp::agent {
namespace {

using common::Error;

std::set<std::string> tags_of(const std::vector<ResourceConfig>& configs) {
  std::set<std::string> tags;
  for (const ResourceConfig& config : configs) tags.insert(config.tag.text());
  return tags;
}

// Leaves out those of which `why` has something to say, as long as there are any.
template <typename Why>
void leave_out(Resources& resources, const Why& why) {
  for (bool more = true; more;) {
    more = false;
    const std::set<std::string> there = tags_of(resources.configs);
    std::erase_if(resources.configs, [&](const ResourceConfig& config) {
      const std::string text = why(config, there);
      if (text.empty()) return false;
      resources.problems.push_back({config.tag.text(), text});
      return more = true;
    });
  }
}

void leave_out_what_needs_others(Resources& resources) {
  leave_out(resources, [](const ResourceConfig& config, const std::set<std::string>& there) {
    for (const std::string& other : config.depends_on) {
      if (!there.count(other)) {
        return "it depends on " + common::quoted(other) + ", which is not there or is left out";
      }
    }
    return std::string();
  });
}

// Those that depend on nothing are taken away, again and again: what stays depends on a circle.
std::set<std::string> circled(const std::vector<ResourceConfig>& configs) {
  std::set<std::string> left = tags_of(configs);
  for (bool more = true; more;) {
    more = false;
    for (const ResourceConfig& config : configs) {
      const bool waits = std::ranges::any_of(
          config.depends_on, [&](const std::string& other) { return left.count(other) > 0; });
      if (!waits && left.erase(config.tag.text())) more = true;
    }
  }
  return left;
}

void leave_out_circles(Resources& resources) {
  try {
    require_sound_dependencies(resources.configs);
  } catch (const Error& problem) {
    const std::set<std::string> tags = circled(resources.configs);
    std::erase_if(resources.configs, [&](const ResourceConfig& config) {
      if (!tags.count(config.tag.text())) return false;
      resources.problems.push_back({config.tag.text(), problem.what()});
      return true;
    });
  }
}

}  // namespace

Resources read_resources(const common::Settings& settings) {
  Resources resources;
  const common::TomlFile* defaults = settings.file ? &*settings.file : nullptr;
  for (const auto& entry : cluster::Registry(common::paths::resources_dir()).list()) {
    if (const auto* problem = std::get_if<std::string>(&entry.resource)) {
      resources.problems.push_back({entry.tag, *problem});
      continue;
    }
    try {
      resources.configs.push_back(
          read_resource_config(defaults, std::get<cluster::Resource>(entry.resource)));
    } catch (const Error& problem) {
      resources.problems.push_back({entry.tag, problem.what()});
    }
  }
  leave_out_what_needs_others(resources);
  leave_out_circles(resources);
  return resources;
}

}  // namespace genapp::agent
