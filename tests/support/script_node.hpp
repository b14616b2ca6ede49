#pragma once

// A node with one script resource: tag "web", id "web1", its scripts in a folder of the test's.

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/node.hpp"

namespace genapp::tests {

class ScriptNode {
 public:
  // `keys`: lines under [script]. Its restore and remove do nothing and succeed.
  explicit ScriptNode(const std::string& keys = "");
  // Ends what its scripts have left.
  ~ScriptNode();

  Node& node() { return node_; }
  const Node& node() const { return node_; }

  // The action's script: /bin/sh with this body, in which $here is the folder of path().
  void script(const std::string& action, const std::string& body) const;
  std::string path(const std::string& name) const { return folder_ / name; }
  std::string script_path(const std::string& action) const { return path("scripts/" + action); }
  // What the scripts wrote there; empty when it is not there.
  std::string content(const std::string& name) const { return read_file(path(name)); }

  Result run(const std::string& action) const { return node_.action(action, "web", "web1"); }
  Process start(const std::string& action) const {
    return node_.start_action(action, "web", "web1");
  }
  // The state file's word; empty when there is none.
  std::string state() const;
  // The living processes that its scripts have started; a zombie has ended.
  std::vector<pid_t> processes() const;

 private:
  TempDir folder_;
  Node node_;
};

}  // namespace genapp::tests
