#include "agent/dependency_graph.hpp"

namespace genapp::agent {

DependencyGraph::DependencyGraph(const std::vector<const ResourceConfig*>& resources) {
  for (const ResourceConfig* one : resources) {
    for (const std::string& other : one->depends_on) {
      needs_[one->tag.text()].insert(other);
      needed_by_[other].insert(one->tag.text());
    }
  }
}

const std::set<std::string>& DependencyGraph::find(const Edges& edges, const std::string& tag) {
  static const std::set<std::string> kNone;
  const auto found = edges.find(tag);
  return found == edges.end() ? kNone : found->second;
}

std::set<std::string> DependencyGraph::closure(const Edges& edges, const std::string& tag) {
  std::set<std::string> all{tag};
  std::vector<std::string> open{tag};
  while (!open.empty()) {
    const std::string one = open.back();
    open.pop_back();
    for (const std::string& next : find(edges, one)) {
      if (all.insert(next).second) open.push_back(next);
    }
  }
  return all;
}

const std::set<std::string>& DependencyGraph::needs(const std::string& tag) const {
  return find(needs_, tag);
}
const std::set<std::string>& DependencyGraph::needed_by(const std::string& tag) const {
  return find(needed_by_, tag);
}
std::set<std::string> DependencyGraph::with_needs(const std::string& tag) const {
  return closure(needs_, tag);
}
std::set<std::string> DependencyGraph::with_dependents(const std::string& tag) const {
  return closure(needed_by_, tag);
}

}  // namespace genapp::agent
