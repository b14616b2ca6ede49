// The resources together: who depends on whom.

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.hpp"
#include "common/error.hpp"
#include "common/printable.hpp"

namespace genapp::agent {
namespace {

using common::Error;
using ByTag = std::map<std::string_view, const ResourceConfig*>;

ByTag by_tag(const std::vector<ResourceConfig>& resources) {
  ByTag found;
  for (const ResourceConfig& resource : resources) found[resource.tag.text()] = &resource;
  return found;
}

void require_known(const ByTag& resources) {
  for (const auto& [tag, resource] : resources) {
    for (const std::string& other : resource->depends_on) {
      if (resources.count(other)) continue;
      throw Error("the resource " + std::string(tag) + " depends on " + common::quoted(other) +
                  ", which is not there: create it, or take it out of depends_on");
    }
  }
}

// Takes away whatever depends on nothing that is left. Who is left is in a circle, or depends on
// one. No recursion: a chain may be as long as there are resources.
ByTag without_the_sound(ByTag resources) {
  std::map<std::string_view, std::size_t> open;
  std::map<std::string_view, std::vector<std::string_view>> needed_by;
  std::vector<std::string_view> sound;
  for (const auto& [tag, resource] : resources) {
    open[tag] = resource->depends_on.size();
    if (resource->depends_on.empty()) sound.push_back(tag);
    for (const std::string& other : resource->depends_on) needed_by[other].push_back(tag);
  }
  while (!sound.empty()) {
    const std::string_view tag = sound.back();
    sound.pop_back();
    resources.erase(tag);
    for (const std::string_view other : needed_by[tag]) {
      if (--open[other] == 0) sound.push_back(other);
    }
  }
  return resources;
}

// "a -> b -> a". Each of `left` depends on another of them, so the way ends where it has been.
std::string circle_in(const ByTag& left) {
  std::vector<std::string_view> way;
  std::map<std::string_view, std::size_t> been;
  std::string_view tag = left.begin()->first;
  while (been.emplace(tag, way.size()).second) {
    way.push_back(tag);
    const auto& others = left.at(tag)->depends_on;
    tag = *std::ranges::find_if(others, [&](const auto& other) { return left.count(other) != 0; });
  }
  std::string text;
  for (std::size_t i = been[tag]; i < way.size(); ++i) text += std::string(way[i]) + " -> ";
  return text + std::string(tag);
}

}  // namespace

void require_sound_dependencies(const std::vector<ResourceConfig>& resources) {
  const ByTag all = by_tag(resources);
  require_known(all);
  const ByTag left = without_the_sound(all);
  if (left.empty()) return;
  throw Error("resources depend on each other in a circle: " + common::printable(circle_in(left)));
}

}  // namespace genapp::agent
