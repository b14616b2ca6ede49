#pragma once

// Who depends on whom. Pure.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/config.hpp"

namespace genapp::agent {

class DependencyGraph {
 public:
  DependencyGraph() = default;
  // Sound ones (require_sound_dependencies()).
  explicit DependencyGraph(const std::vector<const ResourceConfig*>& resources);

  // What it depends on itself, and what depends on it itself.
  const std::set<std::string>& needs(const std::string& tag) const;
  const std::set<std::string>& needed_by(const std::string& tag) const;

  // It and all that it depends on, over however many.
  std::set<std::string> with_needs(const std::string& tag) const;
  // It and all that depends on it.
  std::set<std::string> with_dependents(const std::string& tag) const;

 private:
  using Edges = std::map<std::string, std::set<std::string>>;
  static const std::set<std::string>& find(const Edges& edges, const std::string& tag);
  static std::set<std::string> closure(const Edges& edges, const std::string& tag);

  Edges needs_{};
  Edges needed_by_{};
};

}  // namespace genapp::agent
