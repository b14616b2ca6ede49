#include "agent/dependencies.hpp"

namespace genapp::agent {

Dependencies::Dependencies(const std::vector<const ResourceConfig*>& resources) {
  for (const ResourceConfig* one : resources) {
    for (const std::string& other : one->depends_on) {
      needs_[one->tag.text()].insert(other);
      needed_by_[other].insert(one->tag.text());
    }
  }
}

const std::set<std::string>& Dependencies::find(const Edges& edges, const std::string& tag) {
  static const std::set<std::string> kNone;
  const auto found = edges.find(tag);
  return found == edges.end() ? kNone : found->second;
}

std::set<std::string> Dependencies::closure(const Edges& edges, const std::string& tag) {
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

const std::set<std::string>& Dependencies::needs(const std::string& tag) const {
  return find(needs_, tag);
}
const std::set<std::string>& Dependencies::needed_by(const std::string& tag) const {
  return find(needed_by_, tag);
}
std::set<std::string> Dependencies::with_needs(const std::string& tag) const {
  return closure(needs_, tag);
}
std::set<std::string> Dependencies::with_dependents(const std::string& tag) const {
  return closure(needed_by_, tag);
}

}  // namespace genapp::agent
